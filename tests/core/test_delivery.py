"""What an attempt's answers make of a message."""

from datetime import timedelta

import pytest

from mailguard.core import delivery, moves, schedule
from mailguard.core.delivery import Answer, Outcome, settle
from mailguard.core.errors import IllegalMove
from mailguard.core.events import GUARD
from mailguard.core.hold import Change, HeldMessage, HeldRecipient
from mailguard.core.states import MessageState, RecipientState
from tests.making import NOW, gated, message, recipient


def flying(address: str, **changes: object) -> HeldRecipient:
    return recipient(address, **{"in_flight": True, "attempts": 1, "first_try_at": NOW, **changes})


def said(answer: Answer, address: str = "b@client.example", **changes: object) -> Outcome:
    return Outcome(address=address, answer=answer, reply=f"{answer} it said", **changes)  # type: ignore[arg-type]


def relaying(*recipients: HeldRecipient) -> HeldMessage:
    return message(*recipients, state=MessageState.RELAYING)


def test_taken_is_sent_and_the_bytes_go() -> None:
    change = settle(relaying(flying("b@client.example")), [said(Answer.TAKEN)], by=GUARD, now=NOW)
    [after] = change.after.recipients
    assert (change.after.state, after.state) == (MessageState.SENT, RecipientState.SENT)
    assert (after.sent_at, after.due_at, after.in_flight) == (NOW, None, False)
    assert after.reply == "taken it said"
    assert change.drop_body
    assert change.event.detail == {"taken": ["b@client.example"]}


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (3, 5), (40, 240)])
def test_later_waits_as_the_schedule_says(attempts: int, minutes: int) -> None:
    before = relaying(flying("b@client.example", attempts=attempts))
    change = settle(before, [said(Answer.LATER)], by=GUARD, now=NOW)
    [after] = change.after.recipients
    assert (change.after.state, after.state) == (MessageState.QUEUED, RecipientState.DEFERRED)
    assert after.due_at == NOW + timedelta(minutes=minutes)
    assert not change.drop_body


def test_later_for_five_days_is_failed() -> None:
    almost = relaying(flying("b@client.example", first_try_at=NOW - schedule.GIVE_UP + timedelta(seconds=1)))
    assert settle(almost, [said(Answer.LATER)], by=GUARD, now=NOW).after.state is MessageState.QUEUED
    over = relaying(flying("b@client.example", first_try_at=NOW - schedule.GIVE_UP))
    change = settle(over, [said(Answer.LATER)], by=GUARD, now=NOW)
    assert change.after.state is MessageState.FAILED
    assert change.after.recipients[0].reply == "later it said"
    assert change.event.detail == {"later": ["b@client.example"], "given_up": ["b@client.example"]}


def test_an_outage_of_the_upstream_makes_no_message_wait_for_hours() -> None:
    before = relaying(flying("b@client.example", attempts=40))
    change = settle(before, [said(Answer.LATER, upstream=True)], by=GUARD, now=NOW)
    assert change.after.recipients[0].due_at == NOW + schedule.LONGEST_IN_OUTAGE


def test_never_is_failed_at_once() -> None:
    change = settle(relaying(flying("b@client.example")), [said(Answer.NEVER)], by=GUARD, now=NOW)
    assert change.after.state is MessageState.FAILED
    assert change.after.recipients[0].due_at is None


def test_each_recipient_has_its_own_answer_in_the_order_of_those_in_flight() -> None:
    before = relaying(
        flying("one@x"), recipient("waits@x"), flying("two@x"), flying("three@x"), gated("asks@x")
    )
    outcomes = [said(Answer.NEVER, "one@x"), said(Answer.TAKEN, "two@x"), said(Answer.LATER, "three@x")]
    change = settle(before, outcomes, by=GUARD, now=NOW)
    states = {r.address: r.state for r in change.after.recipients}
    assert states == {
        "one@x": RecipientState.FAILED,
        "waits@x": RecipientState.WAITING,
        "two@x": RecipientState.SENT,
        "three@x": RecipientState.DEFERRED,
        "asks@x": RecipientState.WAITING,
    }
    assert change.event.detail == {
        "taken": ["two@x"],
        "later": ["three@x"],
        "never": ["one@x"],
        "next_try": "2026-11-22T10:01:00Z",
    }


def test_an_attempt_without_an_answer_is_remembered() -> None:
    before = relaying(flying("b@client.example"))
    change = settle(before, [said(Answer.LATER, ambiguous=True)], by=GUARD, now=NOW)
    assert change.after.recipients[0].maybe_sent
    assert change.event.detail["may_arrive_twice"] == ["b@client.example"]


def test_the_outcomes_must_be_as_many_as_were_tried() -> None:
    with pytest.raises(ValueError, match="shorter"):
        settle(relaying(flying("a@x"), flying("b@x")), [said(Answer.TAKEN)], by=GUARD, now=NOW)


def test_what_is_not_in_hand_cannot_be_settled() -> None:
    with pytest.raises(IllegalMove):
        settle(message(), [], by=GUARD, now=NOW)


def _taken_over(after: HeldMessage) -> tuple[HeldMessage, HeldMessage]:
    """A message as one guard has it in hand, and as it stands after another one has recovered it."""
    claimed = moves.claim(after, by="mailguard", now=NOW + timedelta(hours=1))
    assert claimed is not None
    return claimed.after, moves.recover(claimed.after, by="mailguard", now=NOW + timedelta(hours=2)).after


def test_a_late_answer_keeps_the_message_from_leaving_twice() -> None:
    claimed, now = _taken_over(message())
    taken = [Outcome(address="b@client.example", answer=Answer.TAKEN, reply="250 2.0.0 Ok")]
    change = delivery.late(now, claimed, taken, by="mailguard", now=NOW + timedelta(hours=3))
    assert change is not None
    assert change.after.state is MessageState.SENT
    assert change.event.event == "late"
    assert change.event.detail == {"taken": ["b@client.example"]}


def test_a_late_answer_changes_nothing_that_a_person_decided_but_the_history() -> None:
    claimed, now = _taken_over(message())
    cancelled = moves.cancel(now, [], by="a", now=NOW + timedelta(hours=3))
    assert isinstance(cancelled, Change)
    taken = [Outcome(address="b@client.example", answer=Answer.TAKEN, reply="250 2.0.0 Ok")]
    change = delivery.late(cancelled.after, claimed, taken, by="mailguard", now=NOW + timedelta(hours=4))
    assert change is not None
    assert change.after.state is MessageState.CANCELLED
    assert change.after.recipients == cancelled.after.recipients
    assert change.event.detail == {"taken": ["b@client.example"]}


def test_a_late_answer_leaves_alone_what_another_guard_has_in_hand() -> None:
    claimed, now = _taken_over(message())
    again = moves.claim(now, by="mailguard", now=NOW + timedelta(hours=3))
    assert again is not None
    assert not delivery.same_claim(again.after, claimed)
    assert delivery.same_claim(claimed, claimed)
    taken = [Outcome(address="b@client.example", answer=Answer.TAKEN, reply="250 2.0.0 Ok")]
    change = delivery.late(again.after, claimed, taken, by="mailguard", now=NOW + timedelta(hours=4))
    assert change is not None
    assert change.after.state is MessageState.RELAYING
    assert change.after.recipients == again.after.recipients


def test_a_claim_after_a_restore_is_another_though_its_attempts_are_counted_anew() -> None:
    claimed, now = _taken_over(message())
    at = NOW + timedelta(hours=3)
    for move in (moves.cancel(now, (), by="a", now=at), moves.restore, moves.release):
        made = move if isinstance(move, Change) else move(now, by="a", now=at)  # type: ignore[operator]
        assert isinstance(made, Change)
        now = made.after
    again = moves.claim(now, by="mailguard", now=at)
    assert again is not None
    assert [r.attempts for r in again.after.recipients] == [r.attempts for r in claimed.recipients]
    assert not delivery.same_claim(again.after, claimed)


def test_a_late_answer_that_nothing_has_left_is_none() -> None:
    claimed, now = _taken_over(message())
    later = [Outcome(address="b@client.example", answer=Answer.LATER, reply="451 4.3.0 Later")]
    assert delivery.late(now, claimed, later, by="mailguard", now=NOW) is None
