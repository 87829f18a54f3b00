"""How a message stands: what its recipients add up to."""

from collections.abc import Sequence
from datetime import datetime

from mailguard.core.hold import Action, HeldMessage, HeldRecipient
from mailguard.core.states import MessageState, RecipientState

GATE_STATE = {Action.CONFIRM: MessageState.CONFIRM, Action.APPROVE: MessageState.APPROVAL}


def state_of(
    message: HeldMessage, recipients: Sequence[HeldRecipient], now: datetime, *, finished: MessageState
) -> MessageState:
    """The state that a message's parts add up to; `finished` is the word where nothing is open any more."""
    if any(recipient.in_flight for recipient in recipients):
        return MessageState.RELAYING
    if not any(recipient.open for recipient in recipients):
        return finished
    if message.frozen_at is not None:
        return MessageState.FROZEN
    waiting = [recipient for recipient in recipients if recipient.state is RecipientState.WAITING]
    if message.gate is not Action.NONE and any(recipient.gated for recipient in waiting):
        return GATE_STATE[message.gate]
    if any(recipient.due_at is not None and recipient.due_at > now for recipient in waiting):
        return MessageState.HELD
    return MessageState.QUEUED


def finish_of(recipients: Sequence[HeldRecipient]) -> MessageState:
    """How a message ended whose last recipient was just settled by the upstream."""
    states_now = [recipient.state for recipient in recipients]
    if RecipientState.FAILED in states_now:
        return MessageState.FAILED
    return MessageState.SENT if RecipientState.SENT in states_now else MessageState.CANCELLED


def wants_body(recipients: Sequence[HeldRecipient], state: MessageState) -> bool:
    """Bytes go when the message is finished, but stay (for `undo`) where a restore could want them."""
    return not state.finished or any(map(restorable, recipients))


def restorable(recipient: HeldRecipient) -> bool:
    """Whether its sender may take back that it was dropped."""
    return recipient.state is RecipientState.DROPPED and recipient.dropped_at is not None
