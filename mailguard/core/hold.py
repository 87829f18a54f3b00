"""A message in the guard's hands: everything known of it but its bytes.

Frozen values: a move makes a new one (core/moves.py), and the store swaps old for new only where nobody
else was faster (`version`).
"""

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from mailguard.core.envelope import MailParameters
from mailguard.core.events import Event
from mailguard.core.findings import Finding
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.value import dataclass

# Nobody is asked for the last time longer than this before the end.
LONGEST_CALL = timedelta(hours=12)

# To look a member up by its name each time takes as long as the comparison.
_OPEN = (RecipientState.WAITING, RecipientState.DEFERRED)


class Action(StrEnum):
    """What a rule or a finding asks for, from the mildest to the strictest; NONE leaves at once."""

    NONE = "none"
    DELAY = "delay"
    CONFIRM = "confirm"
    APPROVE = "approve"
    REFUSE = "refuse"

    @property
    def rank(self) -> int:
        """The stricter the higher; where several actions meet, the highest wins."""
        return list(Action).index(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRecipient:
    """One recipient of a held message.

    `release_at` is the time that the sender was told; `due_at` is when the timer acts (a margin later) or
    when the next attempt is made; both are None while a person's yes is awaited (`gated`). `delay` is what
    the rules asked for, counted again from a restore. `in_flight` is true between claim and settlement.
    `reply` is the upstream's last answer. `maybe_sent` is true where an attempt ended without an answer to
    the final dot, so that it may have arrived (RFC 1047), or where the store was restored from a backup.
    `dropped_at` says since when a cancel has dropped it; without it a dropped recipient was rejected or
    expired, which nobody can take back.
    """

    address: str
    external: bool
    state: RecipientState = RecipientState.WAITING
    notify: str | None = None
    orcpt: str | None = None
    delay: timedelta = timedelta(0)
    gated: bool = False
    release_at: datetime | None = None
    due_at: datetime | None = None
    in_flight: bool = False
    attempts: int = 0
    first_try_at: datetime | None = None
    reply: str | None = None
    maybe_sent: bool = False
    sent_at: datetime | None = None
    dropped_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether the message may still go to this recipient."""
        return self.state in _OPEN

    @property
    def stoppable(self) -> bool:
        """Whether a cancel still reaches it: open, and not in the upstream's ear right now."""
        return self.open and not self.in_flight


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldMessage:
    """One message with its envelope, its verdict and its state.

    `version` counts the changes; the store's compare-and-set rests on it. `message_id` and `subject` are
    the header's, decoded and cut for display; `user` is the login (None: trusted network). `gate` is the
    person's yes that is still awaited (CONFIRM, APPROVE) or NONE; `expire` is how long it is awaited, and
    `expires_at` when that is over (or when a stopped clock is). `approvers` are asked for theirs at once,
    `deputies` later; `remind_at` is when somebody is asked next. `sender` is "" for the null sender.
    `body_kept` tells whether the store still has the bytes.
    """

    id: str
    state: MessageState
    version: int = 0
    sender: str
    user: str | None
    peer: str
    helo: str
    protocol: str
    parameters: MailParameters
    subject: str
    message_id: str
    size: int
    received_at: datetime
    action: Action
    gate: Action = Action.NONE
    rules: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    approvers: tuple[str, ...] = ()
    deputies: tuple[str, ...] = ()
    margin: timedelta = timedelta(0)
    undo: timedelta = timedelta(0)
    expire: timedelta = timedelta(days=2)
    expires_at: datetime | None = None
    remind_at: datetime | None = None
    frozen_at: datetime | None = None
    finished_at: datetime | None = None
    body_kept: bool = True
    recipients: tuple[HeldRecipient, ...] = field(default=())

    @property
    def release_at(self) -> datetime | None:
        """The earliest time at which something of it leaves, as its sender was told."""
        times = [r.release_at for r in self.recipients if r.release_at is not None and r.open]
        return min(times) if times else None

    @property
    def due_at(self) -> datetime | None:
        """When the timer has something to do for it: the earliest due recipient; None where its clock
        stands still or it is in a worker's hands."""
        if self.frozen_at is not None or True in [recipient.in_flight for recipient in self.recipients]:
            return None
        times = [r.due_at for r in self.recipients if r.due_at is not None and r.open]
        return min(times) if times else None

    @property
    def last_call(self) -> datetime | None:
        """When whoever is waited for is asked for the last time; None where nobody is."""
        return None if self.expires_at is None else self.expires_at - min(self.expire / 4, LONGEST_CALL)

    def in_state(self, state: RecipientState) -> Iterator[HeldRecipient]:
        """Its recipients in this state."""
        return (recipient for recipient in self.recipients if recipient.state is state)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMessage:
    """A message to put into the store, with its bytes and the first line of its history. `also` is what the
    guard writes about it at the same time (a notice): both are stored, or neither is."""

    message: HeldMessage
    content: bytes
    event: Event
    also: tuple["NewMessage", ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One step of one message, to be applied whole or not at all.

    The store applies it only while the stored version is still `before.version`; event, removal of the
    bytes and new messages (bounces) are part of the same transaction.
    """

    before: HeldMessage
    after: HeldMessage
    event: Event
    drop_body: bool = False
    adds: tuple[NewMessage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A message taken in hand for one relay attempt: its in-flight recipients are to be tried now."""

    message: HeldMessage
    content: bytes
