"""What is remembered that bears on a message, asked once before it is judged."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from mailguard.core.facts import Thread
from mailguard.core.policy import Policy
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.inquiry import inquire
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recollection import NOTHING, Recollection
from mailguard.flow.recalling import Recalling
from mailguard.ports import Log, Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The ids that lead to the thread it answers (none: it is no answer); the message as the memory reads it
    (None: the memory is not asked) of this `person`, who may send as `own`, and with which he invites
    somebody; and where it comes from."""

    thread: tuple[str, ...]
    letter: Letter | None
    person: str
    own: tuple[str, ...]
    invited: tuple[str, ...]
    peer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Who took part in the thread, and what the memory knows."""

    thread: Thread
    recollection: Recollection


NOTHING_KNOWN = Known(thread=Thread(), recollection=NOTHING)


class Blank:
    """A memory in which nothing is yet: what it knows of a message anybody can tell."""

    def __init__(self) -> None:
        self._memory = Remembrance()
        self._digests = Digests(b"")

    def known(self, question: Question, policy: Policy) -> Known:
        """What is known of a message that is no answer."""
        if question.letter is None:
            return NOTHING_KNOWN
        found = inquire(
            self._memory,
            None,
            policy,
            question.letter,
            digests=self._digests,
            meant=NOTHING.meant,
            own=question.own,
            invited=question.invited,
        )
        return Known(thread=NOTHING_KNOWN.thread, recollection=found.recollection)


class Knows(Protocol):
    """Somebody who answers such questions."""

    @property
    def on(self) -> bool:
        """Whether anything but threads is remembered."""

    async def know(self, question: Question) -> Known:
        """What is known. Raises StoreError."""


class Knowing:
    """The memory of threads, and the judge's, where there is one."""

    def __init__(self, *, memory: Memory, recalling: Recalling | None, log: Log) -> None:
        self._memory = memory
        self._recalling = recalling
        self._log = log

    @property
    def on(self) -> bool:
        """Whether anything but threads is remembered."""
        return self._recalling is not None and self._recalling.on

    @property
    def blank(self) -> bool:
        """Whether nothing but threads is known of anybody, and that is known."""
        return self._recalling is not None and self._recalling.blank

    async def know(self, question: Question) -> Known:
        """What is known. Raises StoreError."""
        thread = await self._memory.thread(question.thread) if question.thread else NOTHING_KNOWN.thread
        return Known(thread=thread, recollection=self._recollected(question))

    def _recollected(self, question: Question) -> Recollection:
        """What the memory knows; nothing where it fails: no message may ever depend on it."""
        if self._recalling is None or question.letter is None:
            return NOTHING
        own: Collection[str] = question.own
        try:
            return self._recalling.recollect(question.letter, question.person, own, question.invited)
        except Exception as error:  # noqa: BLE001  whatever it was, the message is judged without it
            self._log.trouble("recollection_fault", peer=question.peer, fault=type(error).__name__)
            return NOTHING
