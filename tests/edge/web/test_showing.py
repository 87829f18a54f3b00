"""A message as the page shows it: what is said of it, what is offered, and no word of it as markup."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailguard.core import moves, view
from mailguard.core.events import Event
from mailguard.core.findings import Finding, Severity
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.states import MOVES, MessageState, Move, RecipientState
from mailguard.edge.web.showing import Card, Reader, card, clock, departures, history, moment
from mailguard.edge.web.words import load
from tests.making import NOW, in_state, message, recipient

READER = Reader(words=load()["en"], now=NOW, local=lambda at: at)


def shown(held: HeldMessage, **changes: Any) -> Card:
    return card(view.message(held), replace(READER, **changes))


@pytest.mark.parametrize("state", MessageState)
def test_nothing_is_offered_that_the_table_of_moves_does_not_have(state: MessageState) -> None:
    one = shown(in_state(state))
    assert {Move(action) for action in one.actions} <= {move for move in Move if state in MOVES[move]}
    assert one.restorable is (state is MessageState.CANCELLED)
    assert bool(one.actions) is not state.finished


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0:00"), (0, "0:00"), (61, "1:01"), (3599, "59:59"), (3661, "1:01:01"), (90_000, "1 d 1 h")],
)
def test_the_clock(seconds: int, text: str) -> None:
    assert clock(seconds) == text


def test_a_held_message_counts_down_and_then_leaves() -> None:
    one = shown(message())
    assert (one.lead, one.count, one.below, one.soon) == ("Leaves in", "5:00", "at 10:05", False)
    assert shown(message(), now=NOW + timedelta(seconds=250)).soon
    assert shown(message(), now=NOW + timedelta(minutes=6)).words == "Leaving now"


def test_a_day_is_named_where_it_is_not_today() -> None:
    assert moment("2026-11-22T10:05:00Z", READER) == moment("2026-11-22T10:05:00+00:00", READER)
    tomorrow = moment("2026-11-23T10:05:00Z", READER)
    assert tomorrow
    assert tomorrow.short == "Nov 23, 10:05"
    assert moment(None, READER) is None


def test_whom_something_was_noticed_about_comes_first_and_says_why() -> None:
    about = Finding(check="first_contact", recipient="c@x.example", parameters={"address": "c@x.example"})
    note = Finding(check="personal_webmail", severity=Severity.NOTE, parameters={"address": "b"})
    many = [recipient(f"b{n}@client.example") for n in range(8)]
    one = shown(message(*many, recipient("c@x.example"), findings=(note, about, about)))
    assert one.listed[0].address == "c@x.example"
    assert one.listed[0].reasons == ("It is your first mail to c@x.example.",)
    assert (len(one.listed), one.more) == (6, 3)
    assert [reason.warning for reason in one.reasons] == [True, False, False]
    assert one.flag == "It is your first mail to c@x.example."


def test_one_of_two_can_be_dropped_and_the_last_one_only_stopped() -> None:
    two = message(recipient(), recipient("c@x.example"))
    assert shown(two).droppable
    change = moves.cancel(two, {"c@x.example"}, by="a", now=NOW)
    assert isinstance(change, Change)
    dropped = shown(change.after)
    assert not dropped.droppable
    assert dropped.restorable
    assert not shown(change.after, now=NOW + timedelta(days=8)).restorable
    assert dropped.only_read().actions == ()


def test_what_is_beyond_recall_is_told_one_by_one() -> None:
    left = message(
        recipient("a@x.example", state=RecipientState.SENT, sent_at=NOW),
        recipient("b@x.example", maybe_sent=True),
        recipient("c@x.example", in_flight=True),
        recipient("d@x.example"),
    )
    told = departures(view.message(left), READER)
    assert [line.split("@")[0][-1] for line in told] == ["a", "b", "c"]
    assert "Nov 22, 10:00:00" in told[0]


def test_history_is_told_in_words_and_an_unknown_event_too() -> None:
    events = [
        view.event(Event(at=NOW, event="received", by="a", detail={"blind": ["x@y.example"]})),
        view.event(Event(at=NOW, event="cancel", by="a", detail={"dropped": ["b@client.example"]})),
        view.event(Event(at=NOW, event="levitate", by="mailguard")),
        view.event(Event(at=NOW, event="reject", by="b", detail={"reason": "<b>not now</b>"})),
    ]
    lines = history(events, READER)
    assert [line.text for line in lines] == [
        "Taken from a",
        "Stopped by a",
        "levitate by mailguard",
        "Sent back by b",
    ]
    assert [line.detail for line in lines] == [
        "Bcc: x@y.example.",
        "Not to b@client.example.",
        "",
        "“<b>not now</b>”",
    ]


def test_a_subject_of_any_length_and_none() -> None:
    assert shown(message(subject="")).subject == "(no subject)"
    long = shown(message(subject="x\ny " * 500)).subject
    assert len(long) == 160
    assert "\n" not in long


def test_an_address_is_cut_where_it_may_be_broken() -> None:
    [one] = shown(message(recipient("a@b@c.example"))).people
    assert (one.local, one.domain) == ("a@b", "@c.example")
    [odd] = shown(message(recipient("postmaster"))).people
    assert (odd.local, odd.domain) == ("postmaster", "")
