"""What came of one attempt at the upstream, and what it makes of the message."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from mailguard.core import moves, schedule
from mailguard.core.hold import Change, HeldMessage, HeldRecipient
from mailguard.core.states import Move, RecipientState
from mailguard.core.value import dataclass, replace


class Answer(StrEnum):
    """The upstream's word on one recipient: it has the message, try later, or never."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One recipient's answer.

    `reply` is what the upstream said (code and text), or our own words where it said nothing. `ambiguous`
    is true where the connection was lost between the final dot and its answer, so that the message may
    have arrived already (RFC 1047). `dsn` tells that the upstream took over the duty to report (RFC 3461).
    `upstream` tells that "later" is no word on this message: the upstream is out, for everybody.
    """

    address: str
    answer: Answer
    reply: str
    ambiguous: bool = False
    dsn: bool = False
    upstream: bool = False


# To go through an enumeration takes longer than all the rest of a settlement's history.
_WORDS = tuple((answer, answer.value) for answer in Answer)


def all_later(message: HeldMessage, reply: str, *, ambiguous: bool = False) -> tuple[Outcome, ...]:
    """The same for all that are in flight: it is tried again. `reply` are our own words."""
    return tuple(
        Outcome(address=recipient.address, answer=Answer.LATER, reply=reply, ambiguous=ambiguous)
        for recipient in message.recipients
        if recipient.in_flight
    )


def settle(message: HeldMessage, outcomes: Sequence[Outcome], *, by: str, now: datetime) -> Change:
    """Record what came of the attempt: sent, tried again later, or failed for good.

    `outcomes` are in the order of the message's in-flight recipients. A recipient that was deferred for
    longer than schedule.GIVE_UP fails.
    """
    flying = [index for index, r in enumerate(message.recipients) if r.in_flight]
    answers = dict(zip(flying, outcomes, strict=True))
    recipients = tuple(
        [
            _settled(recipient, answers[index], now) if index in answers else recipient
            for index, recipient in enumerate(message.recipients)
        ]
    )
    detail = _detail(recipients, outcomes)
    return moves.step(Move.SETTLE, message, message, by=by, now=now, detail=detail, recipients=recipients)


def late(
    message: HeldMessage, claimed: HeldMessage, outcomes: Sequence[Outcome], *, by: str, now: datetime
) -> Change | None:
    """Record what came of an attempt that is not in hand any more: `claimed` is the message as it was taken
    in hand, `message` as it stands now that another guard has taken it over. None where nothing has left.

    Whom it has reached it is not sent to again, where nobody is at it already; what people decided meanwhile
    stays decided, and the history tells what left all the same.
    """
    flying = [index for index, r in enumerate(claimed.recipients) if r.in_flight]
    reached = {
        index: outcome
        for index, outcome in zip(flying, outcomes, strict=True)
        if outcome.answer is Answer.TAKEN and index < len(message.recipients)
    }
    if not reached:
        return None
    recipients = tuple(
        _settled(recipient, reached[index], now) if index in reached and recipient.stoppable else recipient
        for index, recipient in enumerate(message.recipients)
    )
    edited = replace(message, recipients=recipients)
    finished = message.state if message.state.finished else None
    detail = {"taken": _addresses(tuple(reached.values()), Answer.TAKEN)}
    return moves.step(Move.LATE, message, edited, by=by, now=now, finished=finished, detail=detail)


def same_claim(message: HeldMessage, claimed: HeldMessage) -> bool:
    """Whether what is in hand is still what was taken in hand then: each claim is one more attempt, counted
    from the first since it was handed in or restored."""

    def flying(one: HeldMessage) -> list[tuple[int, int, datetime | None]]:
        return [(i, r.attempts, r.first_try_at) for i, r in enumerate(one.recipients) if r.in_flight]

    return flying(message) == flying(claimed)


def _settled(recipient: HeldRecipient, outcome: Outcome, now: datetime) -> HeldRecipient:
    state, due_at, sent_at = RecipientState.FAILED, None, recipient.sent_at
    first = recipient.first_try_at or now
    if outcome.answer is Answer.TAKEN:
        state, sent_at = RecipientState.SENT, now
    elif outcome.answer is Answer.LATER and now - first < schedule.GIVE_UP:
        state = RecipientState.DEFERRED
        due_at = now + schedule.next_delay(recipient.attempts, outage=outcome.upstream)
    return replace(
        recipient,
        in_flight=False,
        reply=outcome.reply,
        state=state,
        due_at=due_at,
        sent_at=sent_at,
        maybe_sent=recipient.maybe_sent or outcome.ambiguous,
    )


def _detail(recipients: Sequence[HeldRecipient], outcomes: Sequence[Outcome]) -> Mapping[str, object]:
    """For the history: who got which answer, and what comes next."""
    detail: dict[str, object] = {
        word: addresses for answer, word in _WORDS if (addresses := _addresses(outcomes, answer))
    }
    later = set(_addresses(outcomes, Answer.LATER))
    tried = [r for r in recipients if r.address in later]
    again = [r.due_at for r in tried if r.state is RecipientState.DEFERRED and r.due_at is not None]
    if again:
        detail["next_try"] = f"{min(again).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if given_up := [r.address for r in tried if r.state is RecipientState.FAILED]:
        detail["given_up"] = given_up
    if twice := [outcome.address for outcome in outcomes if outcome.ambiguous]:
        detail["may_arrive_twice"] = twice
    return detail


def _addresses(outcomes: Sequence[Outcome], answer: Answer) -> list[str]:
    return [outcome.address for outcome in outcomes if outcome.answer is answer]
