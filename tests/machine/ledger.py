"""The ledger of the state machine: what must be true of every message, kept by hand beside the guard.

It learns of each change when the store has made it, works out by itself what the change means, and
complains where the guard would do something else. It shares no code with the guard's own moves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mailguard.core.states import MessageState as S
from mailguard.core.states import RecipientState
from mailguard.core.told import Told

DAY = timedelta(days=1)
GIVE_UP = timedelta(days=5)
SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=4)


class Phase(StrEnum):
    """What became of a message for one recipient, as the ledger sees it."""

    WAITS = "waits"
    DEFERRED = "deferred"
    LEFT = "left"
    FAILED = "failed"
    STOPPED = "stopped"
    RETURNED = "returned"


SHOWN = {
    Phase.WAITS: RecipientState.WAITING,
    Phase.DEFERRED: RecipientState.DEFERRED,
    Phase.LEFT: RecipientState.SENT,
    Phase.FAILED: RecipientState.FAILED,
    Phase.STOPPED: RecipientState.DROPPED,
    Phase.RETURNED: RecipientState.DROPPED,
}


class Reply(StrEnum):
    """What the upstream does with one recipient; UNHEARD took it, LOST did not, and neither could say so."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"
    UNHEARD = "unheard"
    LOST = "lost"


ARRIVES = frozenset({Reply.TAKEN, Reply.UNHEARD})
WINDOW = frozenset({Reply.UNHEARD, Reply.LOST})


@dataclass(kw_only=True)
class Line:
    """One recipient. `told` is the time that was promised, `windows` how many attempts ended without a
    word after the final dot, `unsure` whether the guard must say so."""

    address: str
    delay: timedelta
    gated: bool
    told: datetime | None
    due: datetime | None
    notify: str | None = None
    phase: Phase = Phase.WAITS
    flies: bool = False
    offered: bool = False
    copies: int = 0
    windows: int = 0
    unsure: bool = False
    claimed_at: datetime | None = None
    first_try: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it may still go to this recipient."""
        return self.phase in (Phase.WAITS, Phase.DEFERRED)

    @property
    def stoppable(self) -> bool:
        """Whether a cancel still reaches it."""
        return self.open and not self.flies

    def lands(self, reply: Reply, at: datetime, next_try: datetime | None) -> None:
        """The upstream's word is written down."""
        self.flies = False
        self.unsure = self.unsure or reply in WINDOW
        first = self.first_try
        assert first is not None, f"{self.address} was never tried"
        self.due = None
        if reply is Reply.TAKEN:
            self.phase = Phase.LEFT
        elif reply is Reply.NEVER or at - first >= GIVE_UP:
            self.phase = Phase.FAILED
        else:
            assert next_try is not None and SOONEST <= next_try - at <= LATEST, f"next try at {next_try}"
            self.phase, self.due = Phase.DEFERRED, next_try


@dataclass(kw_only=True)
class Entry:
    """One message; `gate` is the state in which a person's yes is awaited, or None."""

    id: str
    sender: str
    content: bytes
    received: datetime
    margin: timedelta
    undo: timedelta
    expire: timedelta
    gate: S | None
    lines: list[Line]
    state: S = S.QUEUED
    acknowledged: bool = False
    frozen: datetime | None = None
    ends: datetime | None = None
    finished: datetime | None = None
    body: bool = True
    replies: list[Reply] = field(default_factory=list)

    def stand(self, at: datetime, word: S | None = None) -> None:
        """The state that its lines add up to, and what follows from it; `word` where nothing is open."""
        self.state = self._state(at, word)
        if self.state in (S.CONFIRM, S.APPROVAL):
            self.ends = self.ends or at + self.expire
        elif self.state is S.FROZEN:
            self.ends = self.ends or at + max(self.undo, DAY)
        elif self.state is not S.RELAYING:
            self.ends = None
        self.finished = at if self.state.finished else None
        if self.state.finished:
            self.frozen = None
            self.body = self.body and any(line.phase is Phase.STOPPED for line in self.lines)

    def _state(self, at: datetime, word: S | None) -> S:
        if any(line.flies for line in self.lines):
            return S.RELAYING
        phases = {line.phase for line in self.lines}
        if not any(line.open for line in self.lines):
            ended = S.SENT if Phase.LEFT in phases else S.CANCELLED
            return word or (S.FAILED if Phase.FAILED in phases else ended)
        if self.frozen is not None:
            return S.FROZEN
        waiting = [line for line in self.lines if line.phase is Phase.WAITS]
        if self.gate is not None and any(line.gated for line in waiting):
            return self.gate
        return S.HELD if any(line.due is not None and line.due > at for line in waiting) else S.QUEUED

    @property
    def next_time(self) -> datetime | None:
        """When something will happen by itself; None where it is finished or in the upstream's ear."""
        dues = [line.due for line in self.lines if line.stoppable and line.due is not None]
        if self.state is S.RELAYING or self.state.finished:
            return None
        if self.state is S.FROZEN:
            return self.ends
        waits = self.state in (S.CONFIRM, S.APPROVAL) and self.ends is not None
        return min([*dues, *([self.ends] if waits and self.ends else [])], default=None)

    def may_leave(self, at: datetime) -> list[Line]:
        """The lines that the timer may take in hand at this time."""
        if self.frozen is not None or self.state is S.RELAYING or self.state.finished:
            return []
        return [
            line
            for line in self.lines
            if line.stoppable and not line.gated and line.due is not None and line.due <= at
        ]

    def reports(self, lines: Iterable[Line], *, success: bool = False) -> int:
        """How many messages to its sender this is worth: none or one."""

        def wanted(line: Line) -> bool:
            if success:
                return line.notify == "SUCCESS"
            return line.notify in (None, "FAILURE")

        return int(bool(self.sender) and any(map(wanted, lines)))


def claimed(entry: Entry, addresses: Sequence[str], at: datetime) -> None:
    """The timer has taken these in hand."""
    may = entry.may_leave(at)
    assert list(addresses) == [line.address for line in may], f"{entry.id}: {addresses} were taken in hand"
    for line in may:
        line.flies, line.offered, line.claimed_at = True, False, at
    entry.stand(at)


def offered(entry: Entry, addresses: Sequence[str], at: datetime) -> None:
    """The bytes go out: the last moment at which anything could be wrong with that."""
    flying = [line for line in entry.lines if line.flies]
    assert list(addresses) == [line.address for line in flying], f"{entry.id}: {addresses} were offered"
    for line in flying:
        assert line.open, f"{entry.id} goes to {line.address}, which is {line.phase}"
        assert not line.gated, f"{entry.id} goes to {line.address} without the yes"
        # The clock may have been set back since it was taken in hand, or since the first try.
        taken = max(at, line.claimed_at or at)
        assert line.due is not None and line.due <= taken, f"{entry.id} leaves too early: {line.due}"
        early = line.phase is Phase.WAITS and line.told is not None and line.told > taken
        assert not early, f"{entry.id} leaves before {line.told}"
        line.offered, line.first_try = True, line.first_try or line.claimed_at


def arrived(entry: Entry, replies: Sequence[Reply]) -> None:
    """What the upstream has, and what it could not say."""
    flying = [line for line in entry.lines if line.flies]
    for line, reply in zip(flying, replies, strict=True):
        line.copies += reply in ARRIVES
        assert line.copies <= 1 + line.windows, f"{entry.id} arrived {line.copies} times"
        line.windows += reply in WINDOW
    entry.replies = list(replies)


def settled(entry: Entry, at: datetime, next_tries: Sequence[datetime | None]) -> int:
    """The attempt is written down; how many reports are due."""
    flying = [line for line in entry.lines if line.flies]
    for line, reply, next_try in zip(flying, entry.replies, next_tries, strict=True):
        line.lands(reply, at, next_try)
    entry.stand(at)
    failed = [line for line in flying if line.phase is Phase.FAILED]
    left = [line for line in flying if line.phase is Phase.LEFT]
    return entry.reports(failed) + entry.reports(left, success=True)


def recovered(entry: Entry, at: datetime, *, politely: bool) -> None:
    """After a stop: tried again at once, and honest about what may have arrived."""
    for line in entry.lines:
        if line.flies:
            assert not (politely and line.offered), f"{entry.id} was offered, and put back as if it were not"
            line.flies = False
            if not politely:
                line.due = at
                line.phase, line.first_try = Phase.DEFERRED, line.first_try or line.claimed_at
                line.windows += line.offered
                line.unsure = True
    entry.stand(at)


def cancel(entry: Entry, at: datetime, only: Sequence[str] = ()) -> None:
    """These will never have it."""
    for line in entry.lines:
        if line.stoppable and (not only or line.address in only):
            line.phase, line.due, line.told = Phase.STOPPED, None, None
            line.stopped_at = at
    entry.stand(at, S.CANCELLED)


def restore(entry: Entry, at: datetime) -> None:
    """The cancel is taken back: the delay runs from now (from a thaw, where the clock stands still), behind a
    gate that is still shut."""
    for line in entry.lines:
        if line.phase is Phase.STOPPED:
            line.phase, line.stopped_at, line.first_try = Phase.WAITS, None, None
            line.told = None if line.gated else (entry.frozen or at) + line.delay
            line.due = None if line.told is None else line.told + entry.margin
    entry.stand(at)


def release(entry: Entry, at: datetime) -> None:
    """Now, but for what needs an approver."""
    needs_approver = entry.gate is S.APPROVAL
    for line in entry.lines:
        if line.open and not (line.gated and needs_approver):
            line.told = line.due = at
        line.gated = line.gated and needs_approver
    entry.gate = entry.gate if needs_approver else None
    entry.frozen = entry.ends = None
    entry.stand(at)


def yes(entry: Entry, at: datetime) -> None:
    """Confirmed or approved: it leaves when its delay has run."""
    for line in entry.lines:
        if line.gated and line.phase is Phase.WAITS:
            line.told = max(at, entry.received + line.delay)
            line.due = line.told + entry.margin if line.told > at else at
            line.gated = False
        # Whom the sender had dropped an approver has not said yes to.
        line.gated = line.gated and entry.gate is S.APPROVAL
    if not any(line.gated and line.phase is Phase.STOPPED for line in entry.lines):
        entry.gate = None
    entry.ends = None
    entry.stand(at)


def returned(entry: Entry, at: datetime, word: S) -> int:
    """Rejected, or nobody said yes in time, or a stopped clock was forgotten; how many reports are due."""
    back = [
        line
        for line in entry.lines
        if line.stoppable and (line.gated or (word is S.EXPIRED and entry.frozen))
    ]
    for line in back:
        line.phase, line.due, line.told = Phase.RETURNED, None, None
    entry.frozen = entry.ends = None
    entry.stand(at, word)
    return entry.reports(back)


def extend(entry: Entry, at: datetime, *, by: timedelta | None, until: datetime | None) -> None:
    """More time, never less."""
    for line in entry.lines:
        if line.phase is Phase.WAITS:
            told = line.told or at
            later = until if until is not None else max(told, at) + (by or timedelta(0))
            line.told = max(told, later)
            line.due = line.told + entry.margin
    entry.stand(at)


def freeze(entry: Entry, at: datetime) -> None:
    """The clock stands still."""
    entry.frozen, entry.ends = at, None
    entry.stand(at)


def thaw(entry: Entry, at: datetime) -> None:
    """What was left of each delay runs from now."""
    assert entry.frozen is not None
    for line in entry.lines:
        if line.open and not line.gated:
            stood = at - entry.frozen
            line.told = None if line.told is None else line.told + stood
            line.due = None if line.due is None else line.due + stood
    entry.frozen = entry.ends = None
    entry.stand(at)


def answer_to_cancel(entry: Entry, only: Sequence[str]) -> Told:
    """What a person must hear who cancels it now."""
    chosen = [line for line in entry.lines if not only or line.address in only]
    beyond = any(line.flies or line.unsure or line.phase is Phase.LEFT for line in chosen)
    if any(line.stoppable for line in chosen):
        return Told.TOO_LATE if beyond else Told.DONE
    stopped = all(line.phase in (Phase.STOPPED, Phase.RETURNED) for line in chosen)
    return Told.ALREADY if stopped and not beyond else Told.TOO_LATE


def answer_to_restore(entry: Entry, at: datetime) -> Told:
    """What a person must hear who takes the cancel back now."""
    if entry.state is S.RELAYING:
        return Told.TRY_LATER
    if entry.state in (S.REJECTED, S.EXPIRED):
        return Told.REFUSED
    stopped = [line.stopped_at for line in entry.lines if line.phase is Phase.STOPPED]
    if not stopped:
        return Told.TOO_LATE if entry.state.finished else Told.ALREADY
    late = all(since is not None and since + entry.undo < at for since in stopped)
    return Told.TOO_LATE if late or not entry.body else Told.DONE


FROM = {
    "release": {S.HELD, S.FROZEN, S.CONFIRM},
    "confirm": {S.CONFIRM},
    "approve": {S.APPROVAL},
    "reject": {S.APPROVAL},
    "extend": {S.HELD},
    "freeze": {S.HELD},
    "thaw": {S.FROZEN},
}
HOLDS_ALREADY = {"freeze": S.FROZEN, "thaw": S.HELD}


def answer_to(verb: str, entry: Entry) -> Told:
    """What a person must hear to any other verb."""
    if entry.state in FROM[verb]:
        return Told.DONE
    if HOLDS_ALREADY.get(verb) is entry.state:
        return Told.ALREADY
    lets_go = verb in ("release", "confirm", "approve")
    if entry.state is S.RELAYING:
        others = any(line.phase is Phase.WAITS and not line.flies for line in entry.lines)
        return Told.ALREADY if lets_go and not others else Told.TRY_LATER
    if entry.state in (S.QUEUED, S.SENT):
        return Told.ALREADY if lets_go else Told.TOO_LATE
    return Told.TOO_LATE if entry.state is S.FAILED else Told.REFUSED
