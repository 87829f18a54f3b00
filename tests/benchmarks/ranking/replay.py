"""Replays a corpus in the order of time: every mail is judged before it is remembered, as it was really sent
and with wrong recipients made for it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailguard.core.recall.digest import Reading, read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.recall import Recall
from tests.benchmarks.ranking.corpus import Mail
from tests.benchmarks.ranking.leaks import KINDS, Known, Leak, make, maker

# What the words of the corpus are hashed with.
KEY = b"replay"
_LURKERS = 0.34
_FORTNIGHT = 14 * 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One question to the judge: `kind` is "clean" or a kind of leak, whose wrong recipient is `leak`."""

    at: int
    part: str
    user: str
    kind: str
    leak: str


def replay(
    mails: Sequence[Mail],
    parts: Mapping[int, str],
    internal: frozenset[str],
    ask: Callable[[Recall, Reading, Case], None],
    kinds_for: Callable[[int, str], Sequence[str]],
) -> Recall:
    """Go through the corpus; `ask` is called for each mail of a part and each leak made of it."""
    digests = Digests(KEY)
    recall, known = Recall(), Known(internal=internal)
    parents = {parent: reply for reply, parent in lurker_plan(mails, parts).items()}
    waiting: dict[int, Leak] = {}
    for at, mail in enumerate(mails):
        reading = read(mail.letter, digests)
        if at in parents:
            reply = mails[parents[at]]
            leak = make("lurker", reply.letter, reply.user, known, maker("lurker", reply.letter.message_id))
            if leak and leak.address not in mail.letter.recipients:
                waiting[parents[at]] = leak
                reading = _copied(reading, leak.address)
        if at in parts:
            lurker = waiting.pop(at, None)
            if lurker:
                case = Case(at=at, part=parts[at], user=mail.user, kind="lurker", leak=lurker.address)
                ask(recall, _copied(reading, lurker.address), case)
            else:
                _ask_all(recall, reading, mail, at, parts[at], known, ask, kinds_for)
        recall.observe(reading.observation)
        known.see(mail.letter, mail.user)
    return recall


def _ask_all(
    recall: Recall,
    reading: Reading,
    mail: Mail,
    at: int,
    part: str,
    known: Known,
    ask: Callable[[Recall, Reading, Case], None],
    kinds_for: Callable[[int, str], Sequence[str]],
) -> None:
    ask(recall, reading, Case(at=at, part=part, user=mail.user, kind="clean", leak=""))
    for kind in kinds_for(at, part):
        if kind == "lurker":
            continue
        leak = make(kind, mail.letter, mail.user, known, maker(kind, mail.letter.message_id, at))
        if leak:
            wrong = replace(reading, observation=replace(reading.observation, to=leak.to, cc=leak.cc))
            ask(recall, wrong, Case(at=at, part=part, user=mail.user, kind=kind, leak=leak.address))


def _copied(reading: Reading, address: str) -> Reading:
    seen = reading.observation
    return replace(reading, observation=replace(seen, cc=(*seen.cc, address)))


def lurker_plan(mails: Sequence[Mail], parts: Mapping[int, str]) -> dict[int, int]:
    """Replies, and the mail that each answers: about a third of those whose mail is in the corpus and is
    somebody else's."""
    by_id: dict[str, int] = {}
    by_subject: dict[str, list[int]] = defaultdict(list)
    plan: dict[int, int] = {}
    taken: set[int] = set()
    for at, mail in enumerate(mails):
        letter = mail.letter
        subject = letter.subject.lower().removeprefix("re:").strip()
        if at in parts and mail.reply and maker("lurk", letter.message_id).random() < _LURKERS:
            parent = next((by_id[one] for one in reversed(letter.answers) if one in by_id), None)
            if parent is None:
                parent = _by_subject(mails, mail, by_subject[subject][-20:] if len(subject) > 3 else [])
            fit = parent is not None and parent not in taken and parent not in parts
            if fit and parent is not None and mails[parent].letter.sender != letter.sender:
                plan[at] = parent
                taken.add(parent)
        by_id[letter.message_id] = at
        by_subject[subject].append(at)
    return plan


def _by_subject(mails: Sequence[Mail], mail: Mail, same: Sequence[int]) -> int | None:
    for at in reversed(same):
        other = mails[at].letter
        if (mail.letter.when - other.when).total_seconds() > _FORTNIGHT:
            return None
        if other.sender in mail.letter.recipients and mail.letter.sender in other.recipients:
            return at
    return None


def every_kind(at: int, part: str) -> Sequence[str]:
    """For measuring: all kinds of leak, in the test part only."""
    return [kind for kind in KINDS if kind != "other"] if part == "test" else ()


def some_kinds(at: int, part: str) -> Sequence[str]:
    """For training: two kinds a mail, by lot; all of them in the test part, for the cross-validation."""
    if part == "test":
        return KINDS
    return maker("kinds", at).sample([kind for kind in KINDS if kind != "lurker"], 2)
