"""What was promised, what arrived and what is recorded, over any number of lives of a guard, and what of it
does not add up. Values and one pure question, `broken`; whoever fills a ledger is elsewhere.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

NOBODY: frozenset[str] = frozenset()


class Kind(StrEnum):
    """What was decided about a recipient: never, or after all."""

    CANCEL = "cancel"
    RESTORE = "restore"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A message as its client handed it in. `id` is from the 250, None where no answer came; the outgoing
    server says no for good to `refused`."""

    key: str
    recipients: tuple[str, ...]
    content: bytes
    id: str | None = None
    refused: frozenset[str] = NOBODY


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A cancel or a restore of one recipient, asked for in one `life` of the guard.

    `answered` is false where the guard died first. `clean` is false where the answer owned that it may have
    left before (RFC 1047); then only what arrives in this life or later breaks the promise.
    """

    key: str
    recipient: str
    kind: Kind
    life: int
    answered: bool
    clean: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """What came with its final dot to the outgoing server, for one recipient. `report` tells that it is a
    report on the message to its sender."""

    key: str
    recipient: str
    life: int
    content: bytes
    report: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the guard itself says in the end; `raw` are the bytes it still has. `doubts` is how often its
    history says of a recipient that the message may arrive twice."""

    id: str
    key: str
    states: Mapping[str, str]
    raw: bytes | None = None
    doubts: Mapping[str, int] = field(default_factory=dict)
    report: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """Everything, in the order in which it happened."""

    mails: Sequence[Mail] = ()
    decisions: Sequence[Decision] = ()
    copies: Sequence[Copy] = ()
    records: Sequence[Record] = ()

    def record(self, mail: Mail) -> Record | None:
        """What is recorded of a mail: by its id, or, where no client heard the id, by its key."""
        found = [r for r in self.records if not r.report and (r.id == mail.id or r.key == mail.key)]
        return found[0] if found else None

    def copies_of(self, mail: Mail, recipient: str) -> list[Copy]:
        """The copies of a mail that came for one recipient."""
        return [c for c in self.copies if (c.key, c.recipient, c.report) == (mail.key, recipient, False)]

    def last_word(self, mail: Mail, recipient: str) -> Decision | None:
        """The last decision about one recipient."""
        found = [d for d in self.decisions if (d.key, d.recipient) == (mail.key, recipient)]
        return found[-1] if found else None


def apart(ledger: Ledger) -> list[Ledger]:
    """A ledger for each mail, with what belongs to it."""
    decisions, copies, records = _by_key(ledger.decisions), _by_key(ledger.copies), _by_key(ledger.records)
    return [
        Ledger(
            mails=[mail],
            decisions=decisions.get(mail.key, []),
            copies=copies.get(mail.key, []),
            records=records.get(mail.key, []),
        )
        for mail in ledger.mails
    ]


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


T = TypeVar("T", bound=_Keyed)


def _by_key(these: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for one in these:
        found.setdefault(one.key, []).append(one)
    return found


def broken(ledger: Ledger) -> list[str]:
    """Every promise that was not kept, as a sentence each; empty where all were."""
    keys = {mail.key for mail in ledger.mails}
    strays = [
        f"{copy.key}: arrived, but nobody handed it in" for copy in ledger.copies if copy.key not in keys
    ]
    return [*strays, *(sentence for one in apart(ledger) for sentence in _broken(one, one.mails[0]))]


def _broken(ledger: Ledger, mail: Mail) -> Iterator[str]:
    yield from _recorded_twice(ledger)
    yield from _not_whole(ledger, mail)
    yield from _altered(ledger, mail)
    for recipient in mail.recipients:
        yield from _recipient(ledger, mail, recipient)
    yield from _reports(ledger, mail)


def _recorded_twice(ledger: Ledger) -> Iterator[str]:
    for (key, report), count in Counter((r.key, r.report) for r in ledger.records).items():
        # Each recipient that fails has a report of its own, at most.
        if count > 1 and not report:
            yield f"{key}: recorded {count} times"


def _not_whole(ledger: Ledger, mail: Mail) -> Iterator[str]:
    """250 means on disk, all of it; and what no 250 was given for is there as a whole or not at all."""
    record = ledger.record(mail)
    if record is None:
        if mail.id is not None:
            yield f"{mail.key}: lost: its client was told 250"
        elif any(copy.key == mail.key for copy in ledger.copies):
            yield f"{mail.key}: arrived, but is recorded nowhere"
        return
    if mail.id not in (None, record.id):
        yield f"{mail.key}: recorded as {record.id}, but its client was told {mail.id}"
    if set(record.states) != set(mail.recipients):
        yield f"{mail.key}: recorded for {sorted(record.states)}, handed in for {sorted(mail.recipients)}"
    if record.raw not in (None, mail.content):
        yield f"{mail.key}: the bytes that are held are not those handed in"
    if record.raw is None and _wanted_bytes(record):
        yield f"{mail.key}: its bytes are gone before it has left"


def _wanted_bytes(record: Record) -> bool:
    return any(state in ("waiting", "deferred", "dropped") for state in record.states.values())


def _altered(ledger: Ledger, mail: Mail) -> Iterator[str]:
    """One Received field, then the sender's bytes; a report must at least have its end."""
    for copy in ledger.copies:
        if copy.key != mail.key:
            continue
        if copy.report:
            if not copy.content.endswith(b"--\r\n"):
                yield f"{mail.key}: a torn report arrived"
        elif without_trace(copy.content) != mail.content:
            yield f"{mail.key}: a torn or altered copy arrived for {copy.recipient}"


def without_trace(content: bytes) -> bytes:
    """The bytes behind the Received field that the guard has put in front; all of them where it has not."""
    if not content.startswith(b"Received:"):
        return content
    lines = content.split(b"\r\n")
    end = next(i for i, line in enumerate([*lines[1:], b""], 1) if line[:1] not in (b" ", b"\t"))
    return b"\r\n".join(lines[end:])


def _recipient(ledger: Ledger, mail: Mail, recipient: str) -> Iterator[str]:
    copies = ledger.copies_of(mail, recipient)
    word = ledger.last_word(mail, recipient)
    yield from _sent_after_cancel(mail, recipient, copies, word)
    record = ledger.record(mail)
    if record is None or recipient not in record.states:
        return
    yield from _unexplained(mail, recipient, record, copies, word)
    yield from _unrecorded_copies(mail, recipient, copies, record.doubts.get(recipient, 0))


def _sent_after_cancel(
    mail: Mail, recipient: str, copies: Sequence[Copy], word: Decision | None
) -> Iterator[str]:
    if word is None or word.kind is not Kind.CANCEL or not word.answered:
        return
    if any(word.clean or copy.life >= word.life for copy in copies):
        yield f"{mail.key}: sent to {recipient} although its cancel was answered"


def _unexplained(
    mail: Mail, recipient: str, record: Record, copies: Sequence[Copy], word: Decision | None
) -> Iterator[str]:
    """A state in the end that is not what happened."""
    state = record.states[recipient]
    cancelled = word is not None and word.kind is Kind.CANCEL
    if cancelled and word is not None and word.answered and state != "dropped":
        yield f"{mail.key}: the cancel for {recipient} was answered, but it is recorded as {state}"
    if state == "sent" and not copies:
        yield f"{mail.key}: lost: recorded as sent to {recipient}, but it never arrived"
    if state == "dropped" and (word is None or (not cancelled and word.answered)):
        yield f"{mail.key}: lost: nobody dropped {recipient}"
    if state == "failed" and recipient not in mail.refused:
        yield f"{mail.key}: lost: recorded as failed for {recipient}, which nobody refused"
    if state in ("waiting", "deferred", "dropped") and copies and not record.doubts.get(recipient):
        yield f"{mail.key}: arrived for {recipient}, but is recorded as {state}"


def _unrecorded_copies(mail: Mail, recipient: str, copies: Sequence[Copy], doubts: int) -> Iterator[str]:
    """At least once, and once but for the known window (RFC 1047), which the history tells of."""
    if len(copies) > 1 + doubts:
        yield f"{mail.key}: {len(copies)} copies for {recipient}, but its history owns to {doubts} doubts"
    if any(count > 1 for count in Counter(copy.life for copy in copies).values()):
        yield f"{mail.key}: two copies for {recipient} in one life of the guard"


def _reports(ledger: Ledger, mail: Mail) -> Iterator[str]:
    """Who was refused for good is reported on to the sender, and as often as is recorded."""
    record = ledger.record(mail)
    failed = [r for r, state in record.states.items() if state == "failed"] if record else []
    copies = [copy for copy in ledger.copies if copy.key == mail.key and copy.report]
    recorded = [r for r in ledger.records if r.key == mail.key and r.report]
    doubts = sum(sum(r.doubts.values()) for r in recorded)
    if failed and not copies:
        yield f"{mail.key}: failed for {failed}, but its sender was never told"
    if len(recorded) > len(failed):
        yield f"{mail.key}: {len(recorded)} reports on {len(failed)} failures"
    if len(copies) > len(recorded) + doubts:
        yield f"{mail.key}: {len(copies)} copies of {len(recorded)} reports with {doubts} doubts"
