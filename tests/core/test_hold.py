"""A held message's times follow from its recipients."""

from datetime import timedelta

from mailguard.core.hold import Action
from mailguard.core.states import RecipientState
from tests.making import DELAY, MARGIN, NOW, gated, message, recipient


def test_the_earliest_open_recipient_counts() -> None:
    sooner = recipient("c@x.example", release_at=NOW, due_at=NOW)
    held = message(recipient(), sooner)
    assert held.release_at == NOW
    gone = message(
        recipient(), recipient("c@x.example", state=RecipientState.SENT, release_at=NOW, due_at=NOW)
    )
    assert gone.release_at == NOW + DELAY
    assert gone.due_at == NOW + DELAY + MARGIN


def test_the_timer_has_nothing_to_do_where_the_clock_stands_or_a_worker_has_it() -> None:
    assert message(frozen_at=NOW).due_at is None
    assert message(recipient(in_flight=True), recipient("c@x.example")).due_at is None
    assert message(gated()).due_at is None


def test_actions_are_ordered_from_the_mildest() -> None:
    assert sorted(Action, key=lambda action: action.rank) == [
        Action.NONE,
        Action.DELAY,
        Action.CONFIRM,
        Action.APPROVE,
        Action.REFUSE,
    ]


def test_stoppable_means_open_and_not_in_the_upstreams_ear() -> None:
    assert recipient().stoppable
    assert recipient(state=RecipientState.DEFERRED).stoppable
    assert not recipient(in_flight=True).stoppable
    assert not recipient(state=RecipientState.DROPPED).stoppable


def test_a_margin_is_not_part_of_what_is_told() -> None:
    held = message()
    assert held.release_at is not None
    assert held.due_at == held.release_at + timedelta(seconds=3)
