"""What a person is told who asked for something: always the truth, in one word and one sentence."""

from collections.abc import Iterator

from mailguard.core.hold import HeldMessage
from mailguard.core.identity import normalize
from mailguard.core.moves import Refused
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.told import Told
from mailguard.core.value import dataclass

BY_REFUSAL = {
    Refused.ALREADY: Told.ALREADY,
    Refused.TOO_LATE: Told.TOO_LATE,
    Refused.WRONG_STATE: Told.REFUSED,
    Refused.BUSY: Told.TRY_LATER,
    Refused.NO_RECIPIENT: Told.REFUSED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The word, the sentence, and the message as it stands now (None where there is none to show)."""

    told: Told
    text: str
    message: HeldMessage | None = None


def not_yours(heard: str, message: HeldMessage, what: str) -> Answer:
    """To somebody who may not have it. Who knows the whole id hears whose it is; who only tried a beginning
    hears what is said of one that nothing begins with, and learns no id."""
    if normalize(heard) == message.id:
        return Answer(told=Told.NOT_YOURS, text=f"{message.id} is not yours to {what}")
    return no_such(heard)


def no_such(heard: str) -> Answer:
    """There is no message of this id."""
    return Answer(told=Told.NO_SUCH_MESSAGE, text=f"no message {heard!r}")


def what_is(message: HeldMessage) -> str:
    """One sentence on how it stands: for whom it is stopped, and what happens to the rest, when."""
    stopped = ", ".join(r.address for r in message.in_state(RecipientState.DROPPED))
    if message.state is MessageState.CANCELLED and stopped:
        return f"{message.id} is cancelled: it will not go to {stopped}"
    parts = [f"{message.id} is {_STANDING.get(message.state, message.state.value)}"]
    if message.state is MessageState.HELD and message.release_at is not None:
        parts[0] += f" until {message.release_at:%Y-%m-%dT%H:%M:%SZ}"
    if stopped:
        parts.append(f"it will not go to {stopped}")
    return "; ".join(parts)


_STANDING = {
    MessageState.FROZEN: "frozen: its clock stands still",
    MessageState.CONFIRM: "held until its sender confirms",
    MessageState.APPROVAL: "held until it is approved",
    MessageState.QUEUED: "on its way out now",
    MessageState.RELAYING: "on its way out now",
    MessageState.REJECTED: "rejected: it goes back to its sender",
}


def what_left(message: HeldMessage) -> str:
    """One clause on what is beyond recall: to whom it left and when, and what is on its way now."""
    return "; ".join(_departures(message)) or "nothing of it has left"


def _departures(message: HeldMessage) -> Iterator[str]:
    for recipient in message.recipients:
        if recipient.state is RecipientState.SENT and recipient.sent_at is not None:
            yield f"it left to {recipient.address} at {recipient.sent_at:%Y-%m-%dT%H:%M:%SZ}"
        elif recipient.maybe_sent:
            yield f"it may have reached {recipient.address}: nobody can tell"
        elif recipient.in_flight:
            yield f"it is being handed over for {recipient.address} at this moment"
        elif recipient.state is RecipientState.FAILED:
            yield f"it was returned by the server for {recipient.address}"
