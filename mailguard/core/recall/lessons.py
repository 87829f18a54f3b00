"""Reads a mail out of a folder for `mailguard learn`: what the memory keeps of it, or why nothing."""

from datetime import datetime, timedelta
from enum import StrEnum

from mailguard.core import address
from mailguard.core.body import read_body
from mailguard.core.facts import Headers
from mailguard.core.message import read_headers
from mailguard.core.recall import posting
from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.observation import Observation
from mailguard.core.recall.quotation import TEXT_LIMIT
from mailguard.core.value import dataclass

# Nobody answers in an older conversation.
_THREADS = timedelta(days=120)
# Of a long mail the beginning is read: encoded in base64, with the other form of the text in front.
_READ = 12 * TEXT_LIMIT


class Passed(StrEnum):
    """Why a mail teaches nothing."""

    AUTOMATIC = "written by a program"
    UNDATED = "without a date that can be"
    UNADDRESSED = "without an author or a recipient"
    OLD = "older than what is remembered"
    OTHERS = "by somebody else"


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """The place of a mail in its thread: its id, the ids it answers, and who could be seen on it."""

    message_id: str
    answers: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What one mail teaches; `conversation` is None for one too old to be answered."""

    observation: Observation
    conversation: Conversation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What is wanted: mail from `since` until `now`; of these `authors` only, where there are any."""

    now: datetime
    since: datetime
    authors: frozenset[str] = frozenset()


def lesson(content: bytes, course: Course, digests: Digests) -> Lesson | Passed:
    """What a mail teaches. Never raises, and linear in what is read of it."""
    headers = read_headers(content)
    if posting.is_automatic(headers):
        return Passed.AUTOMATIC
    when = posting.dated(headers, course.now)
    if when is None:
        return Passed.UNDATED
    if when < course.since:
        return Passed.OLD
    letter = posting.in_a_folder(headers, "", when)
    if letter is None:
        return Passed.UNADDRESSED
    if course.authors and letter.sender not in course.authors:
        return Passed.OTHERS
    letter = posting.with_text(letter, read_body(content[:_READ]).text)
    return Lesson(
        observation=read(letter, digests).observation,
        conversation=_conversation(headers, when, course.now),
    )


def _conversation(headers: Headers, when: datetime, now: datetime) -> Conversation | None:
    if now - when > _THREADS or not headers.message_id:
        return None
    people = (*headers.from_, *headers.to, *headers.cc, *headers.reply_to)
    return Conversation(
        message_id=headers.message_id.strip("<>"),
        answers=headers.thread_ids,
        people=tuple(dict.fromkeys(map(address.normal, people))),
    )
