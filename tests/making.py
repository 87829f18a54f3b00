"""Values that many tests need: a held message with sensible parts, and the time it all happens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mailguard.core.envelope import MailParameters
from mailguard.core.hold import Action, HeldMessage, HeldRecipient
from mailguard.core.states import MessageState, RecipientState

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DELAY = timedelta(minutes=5)
MARGIN = timedelta(seconds=3)


def recipient(address: str = "b@client.example", **changes: Any) -> HeldRecipient:
    """A recipient that waits five minutes."""
    made = HeldRecipient(
        address=address,
        external=True,
        delay=DELAY,
        release_at=NOW + DELAY,
        due_at=NOW + DELAY + MARGIN,
    )
    return replace(made, **changes)


def gated(address: str = "b@client.example", **changes: Any) -> HeldRecipient:
    """A recipient that waits for a person."""
    return recipient(address, gated=True, release_at=None, due_at=None, **changes)


def message(*recipients: HeldRecipient, **changes: Any) -> HeldMessage:
    """A message that is held for its recipients (one, unless given)."""
    made = HeldMessage(
        id="k7fm2xqp9d3t",
        state=MessageState.HELD,
        sender="a@corp.example",
        user="a",
        peer="127.0.0.1",
        helo="laptop",
        protocol="ESMTPSA",
        parameters=MailParameters(),
        subject="Cost cuts",
        message_id="one@corp.example",
        size=4120,
        received_at=NOW,
        action=Action.DELAY,
        rules=("external",),
        margin=MARGIN,
        undo=timedelta(days=7),
        recipients=recipients or (recipient(),),
    )
    return replace(made, **changes)


def in_state(state: MessageState) -> HeldMessage:
    """A plausible message in this state."""
    later = NOW + timedelta(days=2)
    made = {
        MessageState.HELD: message(),
        MessageState.FROZEN: message(frozen_at=NOW, expires_at=later),
        MessageState.CONFIRM: message(gated(), action=Action.CONFIRM, gate=Action.CONFIRM, expires_at=later),
        MessageState.APPROVAL: message(
            gated(),
            action=Action.APPROVE,
            gate=Action.APPROVE,
            expires_at=later,
            approvers=("p@corp.example",),
        ),
        MessageState.QUEUED: message(recipient(delay=timedelta(0), release_at=NOW, due_at=NOW)),
        MessageState.RELAYING: message(recipient(in_flight=True, attempts=1, first_try_at=NOW)),
        MessageState.SENT: _finished(RecipientState.SENT, sent_at=NOW),
        MessageState.CANCELLED: _finished(RecipientState.DROPPED, dropped_at=NOW),
        MessageState.REJECTED: _finished(RecipientState.DROPPED, dropped_at=NOW),
        MessageState.EXPIRED: _finished(RecipientState.DROPPED, dropped_at=NOW),
        MessageState.FAILED: _finished(RecipientState.FAILED),
    }[state]
    kept = state is MessageState.CANCELLED or not state.finished
    return replace(made, state=state, body_kept=kept)


def _finished(state: RecipientState, **changes: Any) -> HeldMessage:
    ended = recipient(state=state, due_at=None, **changes)
    return message(ended, finished_at=NOW)
