"""What a message's recipients add up to."""

from datetime import timedelta

import pytest

from mailguard.core.hold import Action, HeldRecipient
from mailguard.core.standing import finish_of, restorable, state_of, wants_body
from mailguard.core.states import MessageState, RecipientState
from tests.making import NOW, message, recipient

S, R = MessageState, RecipientState
LATER = NOW + timedelta(minutes=5)


def one(state: RecipientState = R.WAITING, **changes: object) -> HeldRecipient:
    """A recipient that is due now."""
    return recipient("b@client.example", state=state, **{"due_at": NOW, **changes})


@pytest.mark.parametrize(
    ("recipients", "state"),
    [
        ([one()], S.QUEUED),
        ([one(due_at=LATER)], S.HELD),
        ([one(R.DEFERRED, due_at=LATER)], S.QUEUED),
        ([one(gated=True, due_at=None)], S.APPROVAL),
        ([one(gated=True, due_at=None), one(due_at=LATER)], S.APPROVAL),
        # Whom nobody waits for any more needs no yes.
        ([one(R.DROPPED, gated=True), one(due_at=LATER)], S.HELD),
        ([one(in_flight=True), one(gated=True, due_at=None)], S.RELAYING),
        ([one(R.SENT), one(R.DROPPED)], S.FAILED),
        ([one(R.SENT), one(R.DEFERRED)], S.QUEUED),
    ],
)
def test_the_parts_add_up(recipients: list[HeldRecipient], state: MessageState) -> None:
    made = message(*recipients, gate=Action.APPROVE)
    assert state_of(made, made.recipients, NOW, finished=S.FAILED) is state


def test_a_stopped_clock_holds_what_is_open() -> None:
    frozen = message(one(), frozen_at=NOW)
    assert state_of(frozen, frozen.recipients, NOW, finished=S.SENT) is S.FROZEN
    assert state_of(frozen, (one(R.SENT),), NOW, finished=S.SENT) is S.SENT


@pytest.mark.parametrize(
    ("states", "end"),
    [
        ([R.SENT, R.SENT], S.SENT),
        ([R.SENT, R.FAILED], S.FAILED),
        ([R.SENT, R.DROPPED], S.SENT),
        ([R.DROPPED], S.CANCELLED),
    ],
)
def test_how_it_ended(states: list[RecipientState], end: MessageState) -> None:
    assert finish_of([one(state) for state in states]) is end


def test_bytes_are_wanted_until_the_end_and_by_who_may_take_a_cancel_back() -> None:
    cancelled = one(R.DROPPED, dropped_at=NOW)
    assert restorable(cancelled)
    # Rejected or expired: nobody takes that back.
    assert not restorable(one(R.DROPPED))
    assert wants_body([one()], S.HELD)
    assert wants_body([one(R.SENT), cancelled], S.SENT)
    assert not wants_body([one(R.SENT), one(R.DROPPED)], S.SENT)
