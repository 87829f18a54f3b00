"""The ledger of all messages: what the store has written down, judged at that instant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ParamSpec

from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.states import MessageState as S
from tests.machine import ledger
from tests.machine.ledger import Entry, Line, Phase, Reply

P = ParamSpec("P")


@dataclass(kw_only=True)
class Wish:
    """What somebody asks for, beyond its name."""

    only: Sequence[str] = ()
    by: timedelta | None = None
    until: datetime | None = None


@dataclass
class Books:
    """Every message that was ever put on the disk, by id. `expected` is the entry of the submission that
    is under way, `wishes` are the decisions that are. What is wrong is kept in `complaints`: the guard would
    take an exception for a fault of the upstream or the store, and go on."""

    now: Callable[[], datetime]
    entries: dict[str, Entry] = field(default_factory=dict)
    expected: Entry | None = None
    resent: str | None = None
    wishes: dict[str, Wish] = field(default_factory=dict)
    complaints: list[Exception] = field(default_factory=list)

    def hear(self, entry: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Enter something, or keep why that cannot be."""
        try:
            entry(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  a test that fails has to say so later
            self.complaints.append(error)

    def added(self, new: NewMessage, first: str | None) -> None:
        """A submission is on the disk, or known as the second of `first`."""
        if first is not None:
            assert first == self.resent, f"{first} was not handed in before"
            self.expected = None
            return
        assert self.resent is None, f"{self.resent} is there twice now"
        entry, self.expected = self.expected, None
        assert entry is not None, f"{new.message.id}: nobody sent that"
        entry.id = new.message.id
        entry.stand(self.now())
        entry.ends = entry.received + entry.expire if any(one.gated for one in entry.lines) else None
        self.entries[entry.id] = entry

    def claimed(self, bunch: Sequence[Claimed]) -> None:
        """The timer has these in hand."""
        for one in bunch:
            entry = self.entries[one.message.id]
            assert one.content == entry.content, f"{entry.id}: other bytes than came in"
            ledger.claimed(entry, _flying(one.message), self.now())

    def offered(self, message_id: str, addresses: Sequence[str], content: bytes) -> None:
        """Bytes go out."""
        entry = self.entries[message_id]
        ledger.offered(entry, addresses, self.now())
        assert content.startswith(b"Received: ")
        assert content.endswith(entry.content), f"{entry.id}: other bytes than came in"

    def arrived(self, message_id: str, replies: Sequence[Reply]) -> None:
        """The upstream has decided."""
        ledger.arrived(self.entries[message_id], replies)

    def changed(self, change: Change) -> None:
        """A step of a message is on the disk."""
        entry = self.entries[change.before.id]
        reports = self._step(entry, change)
        assert len(change.adds) == reports, f"{entry.id}: {len(change.adds)} reports for {reports}"
        for new in change.adds:
            self._report(entry, new)

    def _step(self, entry: Entry, change: Change) -> int:
        verb, at = change.event.event, self.now()
        wish = self.wishes.get(f"{verb} {entry.id}", Wish())
        match verb:
            case "settle":
                return ledger.settled(entry, at, _next_tries(change))
            case "recover":
                politely = "not_offered" in change.event.detail
                ledger.recovered(entry, at, politely=politely)
            case "reject":
                return ledger.returned(entry, at, S.REJECTED)
            case "expire":
                assert entry.ends is not None and entry.ends <= at, f"{entry.id} ends only at {entry.ends}"
                return ledger.returned(entry, at, S.EXPIRED)
            case "cancel":
                ledger.cancel(entry, at, wish.only)
            case "extend":
                ledger.extend(entry, at, by=wish.by, until=wish.until)
            case _:
                _PLAIN[verb](entry, at)
        return 0

    def _report(self, entry: Entry, new: NewMessage) -> None:
        """A bounce goes to the sender, from nobody, at once."""
        at = self.now()
        assert [one.address for one in new.message.recipients] == [entry.sender]
        line = Line(address=entry.sender, delay=timedelta(0), gated=False, told=at, due=at)
        zero = timedelta(0)
        self.entries[new.message.id] = Entry(
            id=new.message.id,
            sender="",
            content=new.content,
            received=at,
            margin=zero,
            undo=zero,
            expire=timedelta(days=2),
            gate=None,
            lines=[line],
            acknowledged=True,
        )

    def all_recovered(self) -> None:
        """Right after a start nothing is in anybody's hands."""
        lost = [entry.id for entry in self.entries.values() if entry.state is S.RELAYING]
        assert lost == [], "nobody will ever try these again"

    def forgotten(self, finished_before: datetime, undo_before: datetime) -> None:
        """What nobody can want any more is gone, and nothing else."""
        for entry in tuple(self.entries.values()):
            if entry.finished is None:
                continue
            if entry.finished < undo_before:
                entry.body = False
            if entry.finished < finished_before:
                del self.entries[entry.id]

    def census(self) -> Mapping[S, int]:
        """How many messages are in each state."""
        found = [entry.state for entry in self.entries.values()]
        return {state: found.count(state) for state in S if state in found}


_PLAIN: Mapping[str, Callable[[Entry, datetime], None]] = {
    "restore": ledger.restore,
    "release": ledger.release,
    "confirm": ledger.yes,
    "approve": ledger.yes,
    "freeze": ledger.freeze,
    "thaw": ledger.thaw,
}


def _flying(message: HeldMessage) -> list[str]:
    return [one.address for one in message.recipients if one.in_flight]


def _next_tries(change: Change) -> list[datetime | None]:
    pairs = zip(change.before.recipients, change.after.recipients, strict=True)
    return [after.due_at for before, after in pairs if before.in_flight]


def agrees(entry: Entry, message: HeldMessage) -> None:
    """What anybody sees of a message is what the ledger says."""
    assert message.state is entry.state, f"{entry.id} is {message.state}, not {entry.state}"
    assert message.expires_at == entry.ends, f"{entry.id} ends at {message.expires_at}, not {entry.ends}"
    assert message.body_kept == entry.body, f"{entry.id}: body kept: {message.body_kept}"
    for line, shown in zip(entry.lines, message.recipients, strict=True):
        where = f"{entry.id} to {line.address}"
        assert shown.address == line.address
        assert shown.state is ledger.SHOWN[line.phase], f"{where} is {shown.state}, not {line.phase}"
        assert shown.in_flight == line.flies, where
        assert shown.maybe_sent == line.unsure, where
        if line.open:
            assert shown.release_at == line.told, f"{where}: told {shown.release_at}, not {line.told}"
            assert shown.gated == line.gated, where
        if line.phase is Phase.LEFT:
            assert line.copies >= 1, f"{where} is said to have left"
        if line.stoppable:
            assert shown.due_at == line.due, f"{where}: due {shown.due_at}, not {line.due}"
