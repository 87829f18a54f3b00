"""A yes opens the gate for those alone whom it was said to."""

from datetime import timedelta

from mailguard.core import delivery, moves
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Action, Change, HeldMessage
from mailguard.core.states import MessageState
from tests.making import NOW, gated, message

SOON = NOW + timedelta(seconds=1)
LATE = NOW + timedelta(hours=1)


def changed(result: moves.Result) -> HeldMessage:
    assert isinstance(result, Change)
    return result.after


def test_whom_the_sender_had_dropped_an_approver_has_not_said_yes_to() -> None:
    before = message(
        gated("b@x.example"), gated("c@y.example"), state=MessageState.APPROVAL, gate=Action.APPROVE
    )
    dropped = changed(moves.cancel(before, {"c@y.example"}, by="a", now=SOON))
    approved = changed(moves.approve(dropped, by="p", now=LATE))
    assert approved.state is MessageState.QUEUED
    claimed = moves.claim(approved, by="mailguard", now=LATE)
    assert claimed is not None
    outcome = Outcome(address="b@x.example", answer=Answer.TAKEN, reply="250 ok")
    left = delivery.settle(claimed.after, [outcome], by="mailguard", now=LATE).after
    for taken_back in (changed(moves.restore(one, by="a", now=LATE)) for one in (approved, left)):
        assert [r.gated for r in taken_back.recipients] == [False, True]
        assert taken_back.recipients[1].due_at is None
        # Nothing may stay stuck.
        assert taken_back.state is not MessageState.APPROVAL or taken_back.expires_at is not None
    assert changed(moves.restore(left, by="a", now=LATE)).state is MessageState.APPROVAL
    again = changed(moves.approve(changed(moves.restore(left, by="a", now=LATE)), by="p", now=LATE))
    assert again.state is MessageState.QUEUED and again.gate is Action.NONE


def test_the_senders_own_yes_is_for_whom_he_had_dropped_too() -> None:
    before = message(
        gated("b@x.example"), gated("c@y.example"), state=MessageState.CONFIRM, gate=Action.CONFIRM
    )
    dropped = changed(moves.cancel(before, {"c@y.example"}, by="a", now=SOON))
    confirmed = changed(moves.confirm(dropped, by="a", now=LATE))
    assert changed(moves.restore(confirmed, by="a", now=LATE)).state in (
        MessageState.HELD,
        MessageState.QUEUED,
    )
