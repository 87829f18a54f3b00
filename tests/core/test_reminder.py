"""When people are asked again who have not said yes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from mailguard.core import moves, reminder
from mailguard.core.hold import Action, Change, HeldMessage
from mailguard.core.moves import Refusal
from mailguard.core.reminder import Reminder
from mailguard.core.states import MessageState
from tests.making import NOW, gated, in_state, message, recipient

HOUR = timedelta(hours=1)
DEPUTIES = ("d@corp.example",)


def waiting(**changes: Any) -> HeldMessage:
    made = replace(in_state(MessageState.APPROVAL), deputies=DEPUTIES, **changes)
    return replace(made, remind_at=reminder.first(made, 4 * HOUR))


def asked(held: HeldMessage, after: timedelta) -> Reminder:
    made = reminder.remind(held, by="mailguard", now=NOW + after)
    assert isinstance(made, Reminder)
    return made


def test_the_deputies_are_asked_after_a_while_and_everybody_before_the_end() -> None:
    held = waiting()
    assert held.remind_at == NOW + 4 * HOUR
    first = asked(held, 4 * HOUR)
    assert (first.asked, first.last) == (DEPUTIES, False)
    then = first.change.after
    assert (then.state, then.version, then.expires_at) == (held.state, held.version + 1, held.expires_at)
    assert then.remind_at == NOW + 36 * HOUR
    last = asked(then, 36 * HOUR)
    assert (last.asked, last.last) == (("p@corp.example", *DEPUTIES), True)
    assert last.change.after.remind_at is None


def test_a_guard_that_slept_over_both_asks_once() -> None:
    last = asked(waiting(), 40 * HOUR)
    assert last.last and last.change.after.remind_at is None


def test_without_deputies_only_the_last_one_is_made() -> None:
    held = in_state(MessageState.APPROVAL)
    assert reminder.first(held, HOUR) == held.last_call == NOW + 36 * HOUR


def test_of_a_short_wait_the_last_quarter_is_left() -> None:
    held = replace(in_state(MessageState.CONFIRM), expire=HOUR, expires_at=NOW + HOUR)
    assert reminder.first(held, HOUR) == NOW + timedelta(minutes=45)
    assert asked(held, timedelta(minutes=45)).asked == ()


def test_nobody_is_asked_where_nobody_is_waited_for() -> None:
    assert reminder.first(message(), HOUR) is None
    assert isinstance(reminder.remind(message(), by="mailguard", now=NOW), Refusal)


def test_a_yes_or_a_cancel_ends_the_asking_and_a_restore_begins_it_anew() -> None:
    held = waiting()
    said_yes = moves.approve(held, by="p", now=NOW)
    assert isinstance(said_yes, Change) and said_yes.after.remind_at is None
    stopped = moves.cancel(held, (), by="a", now=NOW)
    assert isinstance(stopped, Change) and stopped.after.remind_at is None
    again = moves.restore(stopped.after, by="a", now=NOW + HOUR)
    assert isinstance(again, Change)
    assert again.after.remind_at == again.after.last_call == NOW + 37 * HOUR


def test_a_part_that_leaves_meanwhile_changes_nothing() -> None:
    free = recipient("c@corp.example", delay=timedelta(0), release_at=NOW, due_at=NOW)
    held = replace(waiting(), recipients=(gated(), free), gate=Action.APPROVE)
    claimed = moves.claim(held, by="mailguard", now=NOW)
    assert claimed is not None and claimed.after.state is MessageState.RELAYING
    assert claimed.after.remind_at == held.remind_at
    back = moves.put_back(claimed.after, by="mailguard", now=NOW)
    assert back.after.remind_at == held.remind_at
