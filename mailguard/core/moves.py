"""The moves, computed: from a message as it stands to a message as it shall stand, or to a refusal.

Pure functions. Each returns a Change for the store's compare-and-set, or a Refusal that tells the truth
about why not. core/states.py holds every result against the table before it leaves this module.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from mailguard.core import states
from mailguard.core.events import Event
from mailguard.core.hold import Action, Change, HeldMessage, HeldRecipient
from mailguard.core.standing import GATE_STATE, finish_of, restorable, state_of, wants_body
from mailguard.core.states import MessageState, Move, RecipientState
from mailguard.core.value import dataclass, replace


class Refused(StrEnum):
    """Why a move was not made."""

    ALREADY = "already"
    TOO_LATE = "too_late"
    WRONG_STATE = "wrong_state"
    BUSY = "busy"
    NO_RECIPIENT = "no_recipient"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A move that was not made. ALREADY means that what was asked for holds without it."""

    reason: Refused
    message: HeldMessage
    text: str


Result = Change | Refusal
Edit = Callable[[HeldRecipient], HeldRecipient]

# A stopped clock stands for a day at least, before what it stopped goes back to its sender.
SHORTEST_FREEZE = timedelta(days=1)


def step(
    move: Move,
    before: HeldMessage,
    edited: HeldMessage,
    *,
    by: str,
    now: datetime,
    finished: MessageState | None = None,
    detail: Mapping[str, object] | None = None,
    recipients: tuple[HeldRecipient, ...] | None = None,
) -> Change:
    """The Change from `before` to `edited`, with state, version and end derived and checked.

    `recipients` stand for those of `edited`: where nothing else changes, a message need not be copied twice.
    Raises IllegalMove where the table of states does not have the step.
    """
    going = edited.recipients if recipients is None else recipients
    state = state_of(edited, going, now, finished=finished or finish_of(going))
    states.check(move, before.state, state)
    after = replace(
        edited,
        recipients=going,
        state=state,
        version=before.version + 1,
        frozen_at=None if state.finished else edited.frozen_at,
        expires_at=_end_of(edited, state, now),
        finished_at=now if state.finished else None,
        body_kept=edited.body_kept and wants_body(going, state),
    )
    if (anew := _waits_anew(before, after)) or (anew is not None and after.remind_at is not None):
        after = replace(after, remind_at=after.last_call if anew else None)
    event = Event(at=now, event=move.value, by=by, detail=dict(detail or {}))
    return Change(before=before, after=after, event=event, drop_body=before.body_kept and not after.body_kept)


def _end_of(message: HeldMessage, state: MessageState, now: datetime) -> datetime | None:
    """When waiting for a person is over: nothing may stay stuck, whatever brought it into this state."""
    if state in (MessageState.CONFIRM, MessageState.APPROVAL):
        return message.expires_at or now + message.expire
    if state is MessageState.FROZEN:
        return message.expires_at or now + max(message.undo, SHORTEST_FREEZE)
    # On its way, while others wait for a person whose time goes on.
    return message.expires_at if state is MessageState.RELAYING else None


def _waits_anew(before: HeldMessage, after: HeldMessage) -> bool | None:
    """Whether this step begins the wait for a person's yes (or, false, ends it); None where neither."""
    asking = (*GATE_STATE.values(), MessageState.RELAYING)
    if (before.state in asking) is (after.state in asking):
        return None
    return after.state in GATE_STATE.values()


def _edit(message: HeldMessage, edit: Edit, among: Callable[[HeldRecipient], bool]) -> HeldMessage:
    return replace(message, recipients=_each(message, edit, among))


def _each(
    message: HeldMessage, edit: Edit, among: Callable[[HeldRecipient], bool]
) -> tuple[HeldRecipient, ...]:
    return tuple([edit(r) if among(r) else r for r in message.recipients])


def _drop(by_cancel_at: datetime | None = None) -> Edit:
    def drop(recipient: HeldRecipient) -> HeldRecipient:
        dropped = RecipientState.DROPPED
        return replace(recipient, state=dropped, due_at=None, release_at=None, dropped_at=by_cancel_at)

    return drop


def refusal(move: Move, message: HeldMessage) -> Refusal | None:
    """Why the table has no such move from where the message is; None where it has."""
    if states.allows(move, message.state):
        return None
    # What waits beside a part that is on its way would not hear of the yes.
    others = any(r.state is RecipientState.WAITING and r.stoppable for r in message.recipients)
    going = message.state in (MessageState.QUEUED, MessageState.SENT)
    going = going or (message.state is MessageState.RELAYING and not others)
    if move in (Move.RELEASE, Move.CONFIRM, Move.APPROVE) and going:
        return Refusal(reason=Refused.ALREADY, message=message, text=f"it is {message.state} already")
    if message.state is MessageState.RELAYING:
        return Refusal(reason=Refused.BUSY, message=message, text="it is on its way at this moment")
    if message.state in (MessageState.SENT, MessageState.FAILED, MessageState.QUEUED):
        return Refusal(reason=Refused.TOO_LATE, message=message, text=f"it is {message.state}")
    return Refusal(
        reason=Refused.WRONG_STATE,
        message=message,
        text=f"it is {message.state}, and {move} is not possible from there",
    )


def cancel(message: HeldMessage, only: Collection[str], *, by: str, now: datetime) -> Result:
    """Stop it for good, or drop only the recipients whose addresses (compared by the caller's
    normal form) are in `only`; an empty `only` means everybody."""
    wanted = [r for r in message.recipients if not only or r.address in only]
    if not wanted:
        return Refusal(reason=Refused.NO_RECIPIENT, message=message, text="it has no such recipient")
    stoppable = [r for r in wanted if r.stoppable]
    if not stoppable:
        if all(r.state is RecipientState.DROPPED and not r.maybe_sent for r in wanted):
            return Refusal(reason=Refused.ALREADY, message=message, text="it is stopped already")
        return Refusal(reason=Refused.TOO_LATE, message=message, text=f"it is {message.state}")
    addresses = {r.address for r in stoppable}
    edited = _edit(message, _drop(by_cancel_at=now), lambda r: r.stoppable and r.address in addresses)
    return step(
        Move.CANCEL,
        message,
        edited,
        by=by,
        now=now,
        finished=MessageState.CANCELLED,
        detail={"dropped": sorted(addresses)},
    )


def restore(message: HeldMessage, *, by: str, now: datetime) -> Result:
    """Take the cancel back: every dropped recipient waits again, its delay counted from now, and
    behind the gate that nobody has opened."""
    if refused := refusal(Move.RESTORE, message):
        return refused
    dropped = [r for r in message.recipients if restorable(r)]
    if not dropped:
        reason = Refused.TOO_LATE if message.state.finished else Refused.ALREADY
        return Refusal(reason=reason, message=message, text="nothing of it is cancelled")
    late = all(r.dropped_at is not None and r.dropped_at + message.undo < now for r in dropped)
    if late or not message.body_kept:
        return Refusal(reason=Refused.TOO_LATE, message=message, text="its time for taking back is over")

    # While the clock stands still, nothing of the delay runs: a thaw adds the time since it was stopped.
    since = message.frozen_at or now

    def wait_again(recipient: HeldRecipient) -> HeldRecipient:
        release_at = None if recipient.gated else since + recipient.delay
        return replace(
            recipient,
            state=RecipientState.WAITING,
            release_at=release_at,
            due_at=None if release_at is None else release_at + message.margin,
            dropped_at=None,
            # A fresh start: five days of retries count from here.
            attempts=0,
            first_try_at=None,
        )

    edited = _edit(message, wait_again, restorable)
    return step(
        Move.RESTORE, message, edited, by=by, now=now, detail={"restored": [r.address for r in dropped]}
    )


def release(message: HeldMessage, *, by: str, now: datetime) -> Result:
    """Send now what waits for its time. It is a yes as well, but never an approver's: what waits for that,
    or was cancelled while it did, stays behind its gate."""
    if refused := refusal(Move.RELEASE, message):
        return refused
    needs_approver = message.gate is Action.APPROVE

    def at_once(recipient: HeldRecipient) -> HeldRecipient:
        return replace(recipient, release_at=now, due_at=now)

    edited = _edit(message, at_once, lambda r: r.open and not (r.gated and needs_approver))
    edited = replace(
        _edit(edited, lambda r: replace(r, gated=r.gated and needs_approver), lambda r: r.gated),
        gate=message.gate if needs_approver else Action.NONE,
        frozen_at=None,
        expires_at=None,
    )
    return step(Move.RELEASE, message, edited, by=by, now=now)


def confirm(message: HeldMessage, *, by: str, now: datetime) -> Result:
    """The sender's yes: it leaves when its longest delay has run."""
    return _open_gate(Move.CONFIRM, message, {}, by=by, now=now)


def approve(message: HeldMessage, seal: str = "", *, by: str, now: datetime) -> Result:
    """The approver's yes, to the message with this seal: it leaves when its longest delay has run."""
    return _open_gate(Move.APPROVE, message, {"seal": seal} if seal else {}, by=by, now=now)


def _open_gate(
    move: Move, message: HeldMessage, detail: Mapping[str, object], *, by: str, now: datetime
) -> Result:
    if refused := refusal(move, message):
        return refused

    def pass_gate(recipient: HeldRecipient) -> HeldRecipient:
        if recipient.state is not RecipientState.WAITING:
            # The sender's yes is for whom he dropped, too; an approver was told that it does not go to them.
            return replace(recipient, gated=False) if move is Move.CONFIRM else recipient
        release_at = max(now, message.received_at + recipient.delay)
        due_at = release_at + message.margin if release_at > now else now
        return replace(recipient, gated=False, release_at=release_at, due_at=due_at)

    edited = _edit(message, pass_gate, lambda r: r.gated)
    shut = any(r.gated and restorable(r) for r in edited.recipients)
    edited = replace(edited, gate=message.gate if shut else Action.NONE, expires_at=None)
    return step(move, message, edited, by=by, now=now, detail=detail)


def reject(message: HeldMessage, reason: str, *, by: str, now: datetime) -> Result:
    """The approver's no: what waited for it will never leave."""
    if refused := refusal(Move.REJECT, message):
        return refused
    edited = replace(_edit(message, _drop(), lambda r: r.gated and r.open), expires_at=None)
    return step(
        Move.REJECT,
        message,
        edited,
        by=by,
        now=now,
        finished=MessageState.REJECTED,
        detail={"reason": reason},
    )


def extend(message: HeldMessage, until: Callable[[datetime], datetime], *, by: str, now: datetime) -> Result:
    """More time: `until` gives each waiting recipient's new release time from its present one."""
    if refused := refusal(Move.EXTEND, message):
        return refused

    def later(recipient: HeldRecipient) -> HeldRecipient:
        told = recipient.release_at or now
        # More time is never less: a promise of a later time holds.
        release_at = max(told, until(max(told, now)))
        return replace(recipient, release_at=release_at, due_at=release_at + message.margin)

    edited = _edit(message, later, lambda r: r.state is RecipientState.WAITING)
    return step(Move.EXTEND, message, edited, by=by, now=now, detail={"until": str(edited.release_at)})


def freeze(message: HeldMessage, *, by: str, now: datetime) -> Result:
    """Stop the clock. The message goes back to its sender if nobody starts it again within `undo`."""
    if message.state is MessageState.FROZEN:
        return Refusal(reason=Refused.ALREADY, message=message, text="its clock stands still already")
    if refused := refusal(Move.FREEZE, message):
        return refused
    edited = replace(message, frozen_at=now, expires_at=None)
    return step(Move.FREEZE, message, edited, by=by, now=now)


def thaw(message: HeldMessage, *, by: str, now: datetime) -> Result:
    """Start the clock again; what was left of the delay runs from now."""
    if message.state is MessageState.HELD:
        return Refusal(reason=Refused.ALREADY, message=message, text="its clock is running already")
    if refused := refusal(Move.THAW, message):
        return refused
    stood = now - (message.frozen_at or now)

    def shift(recipient: HeldRecipient) -> HeldRecipient:
        release_at = (recipient.release_at or now) + stood
        return replace(recipient, release_at=release_at, due_at=(recipient.due_at or now) + stood)

    edited = _edit(message, shift, lambda r: r.open and not r.gated)
    edited = replace(edited, frozen_at=None, expires_at=None)
    return step(Move.THAW, message, edited, by=by, now=now)


def expire(message: HeldMessage, *, by: str, now: datetime) -> Result:
    """The end of waiting for a person: what waited goes back to its sender, unsent."""
    if refused := refusal(Move.EXPIRE, message):
        return refused
    frozen = message.frozen_at is not None
    edited = replace(
        _edit(message, _drop(), lambda r: r.stoppable and (frozen or r.gated)),
        expires_at=None,
        frozen_at=None,
    )
    return step(Move.EXPIRE, message, edited, by=by, now=now, finished=MessageState.EXPIRED)


def claim(message: HeldMessage, *, by: str, now: datetime) -> Change | None:
    """Take in hand every recipient whose time has come; None where there is none."""

    def due(recipient: HeldRecipient) -> bool:
        return recipient.stoppable and recipient.due_at is not None and recipient.due_at <= now

    if not states.allows(Move.CLAIM, message.state) or not any(map(due, message.recipients)):
        return None

    def take(recipient: HeldRecipient) -> HeldRecipient:
        return replace(
            recipient,
            in_flight=True,
            attempts=recipient.attempts + 1,
            first_try_at=recipient.first_try_at or now,
        )

    recipients = _each(message, take, due)
    return step(Move.CLAIM, message, message, by=by, now=now, recipients=recipients)


def put_back(message: HeldMessage, *, by: str, now: datetime) -> Change:
    """A claimed message that was not offered to the upstream after all: it waits as it did before."""

    def back(recipient: HeldRecipient) -> HeldRecipient:
        attempts = recipient.attempts - 1
        # The days after which an upstream is given up count from a real attempt.
        first = recipient.first_try_at if attempts else None
        return replace(recipient, in_flight=False, attempts=attempts, first_try_at=first)

    waiting = [r.address for r in message.recipients if r.in_flight]
    edited = _edit(message, back, lambda r: r.in_flight)
    return step(Move.RECOVER, message, edited, by=by, now=now, detail={"not_offered": waiting})


def recover(message: HeldMessage, *, by: str, now: datetime) -> Change:
    """After a stop in mid-relay: what was in hand is tried again, and may arrive twice (RFC 1047)."""

    def again(recipient: HeldRecipient) -> HeldRecipient:
        return replace(recipient, in_flight=False, state=RecipientState.DEFERRED, due_at=now, maybe_sent=True)

    flying = [r.address for r in message.recipients if r.in_flight]
    edited = _edit(message, again, lambda r: r.in_flight)
    return step(Move.RECOVER, message, edited, by=by, now=now, detail={"may_arrive_twice": flying})


def quarantine(message: HeldMessage, reason: str, *, by: str, now: datetime) -> Change:
    """After a return to an earlier time: nobody knows what has happened to it since, so it leaves only when
    a person says so. Nobody is told that nothing of it has left."""

    def doubt(recipient: HeldRecipient) -> HeldRecipient:
        if recipient.in_flight:
            recipient = replace(recipient, in_flight=False, state=RecipientState.DEFERRED, due_at=now)
        return replace(recipient, maybe_sent=True)

    edited = _edit(message, doubt, lambda r: r.open)
    edited = replace(edited, frozen_at=message.frozen_at or now, expires_at=None)
    return step(Move.QUARANTINE, message, edited, by=by, now=now, detail={"reason": reason})
