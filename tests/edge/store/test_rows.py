"""Rows and messages: exact both ways, for every field that a message has or will ever get."""

import sqlite3
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.core.events import Event
from mailguard.core.hold import Change, HeldMessage, NewMessage
from mailguard.core.identity import ALPHABET
from mailguard.core.states import FINISHED, MessageState
from mailguard.edge.store import migrate, queries, rows, steps
from mailguard.edge.store.steps import Step
from mailguard.ports import Page
from tests.edge.store.samples import RecordingLog, cancelled
from tests.making import NOW, message, recipient

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-9))])
TIMES = st.builds(
    lambda by, zone: (NOW + by).astimezone(zone),
    st.timedeltas(timedelta(days=-20_000), timedelta(days=100_000)),
    ZONES,
)
WORDS = st.text(max_size=20)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    int: st.integers(0, 2**62),
    bool: st.booleans(),
    bytes: st.binary(max_size=200),
    type(None): st.none(),
    datetime: TIMES,
    timedelta: st.timedeltas(timedelta(days=-1), timedelta(days=400)),
    Mapping[str, str]: st.dictionaries(WORDS, WORDS, max_size=3),
    # What an event tells: plain words and numbers, and lists of them.
    Mapping[str, object]: st.dictionaries(
        WORDS,
        st.none() | WORDS | st.integers(-9, 2**40) | st.booleans() | st.lists(WORDS, max_size=3),
        max_size=3,
    ),
}


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field of this type."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{one.name: any_of(hints[one.name]) for one in fields(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if isinstance(kind, types.UnionType):
        return st.one_of(*(any_of(one) for one in typing.get_args(kind)))
    inner, rest = typing.get_args(kind)
    assert typing.get_origin(kind) is tuple
    assert rest is Ellipsis
    return st.lists(any_of(inner), max_size=3).map(tuple)


IDS = st.text(ALPHABET, min_size=12, max_size=12)
MESSAGES = st.builds(replace, any_of(HeldMessage), id=IDS, version=st.integers(0, 1000))


def fresh() -> sqlite3.Connection:
    """A database in memory, with the schema."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate.upgrade(connection, Path("memory"), migrate.load("sqlite"), NOW)
    return connection


@given(held=MESSAGES, event=any_of(Event), content=st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_a_message_comes_back_as_it_was(held: HeldMessage, event: Event, content: bytes) -> None:
    connection = fresh()
    steps.take(connection, [Step([rows.added(NewMessage(message=held, content=content, event=event))])])
    assert queries.find(connection, held.id) == held
    assert queries.events(connection, held.id) == [event]
    assert queries.content(connection, held.id) == content
    connection.close()


@given(before=MESSAGES, after=MESSAGES, events=st.lists(any_of(Event), min_size=2, max_size=2))
@settings(deadline=None, max_examples=60)
def test_a_step_makes_it_what_it_shall_be(
    before: HeldMessage, after: HeldMessage, events: list[Event]
) -> None:
    connection = fresh()
    new = NewMessage(message=before, content=b"", event=events[0])
    after = replace(after, id=before.id, version=before.version + 1)
    change = Change(before=before, after=after, event=events[1])
    assert steps.take(connection, [Step([rows.added(new)])]) == [True]
    assert steps.take(connection, [Step([], rows.changed(change))]) == [True]
    assert queries.find(connection, before.id) == after
    assert queries.events(connection, before.id) == events
    connection.close()


@given(held=st.lists(MESSAGES, max_size=12, unique_by=lambda one: one.id), limit=st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_the_list_has_every_message_once_and_the_census_counts_it(
    held: list[HeldMessage], limit: int
) -> None:
    connection, log = fresh(), RecordingLog()
    event = Event(at=NOW, event="received", by="a")
    steps.take(
        connection,
        [Step([rows.added(NewMessage(message=one, content=b"", event=event)) for one in held])],
    )
    found: list[HeldMessage] = []
    while True:
        after = found[-1].id if found else None
        bunch = queries.page(connection, Page(finished=True, after=after, limit=limit), log)
        found += bunch
        if len(bunch) < limit:
            break
    assert sorted(one.id for one in found) == sorted(one.id for one in held)
    # What is finished comes last.
    over = [one.state in FINISHED for one in found]
    assert over == sorted(over)
    counted = queries.census(connection, NOW).by_state
    assert counted == {state: n for state in MessageState if (n := sum(one.state is state for one in held))}
    connection.close()


def test_of_two_steps_in_one_transaction_the_second_is_too_late() -> None:
    connection = fresh()
    event = Event(at=NOW, event="received", by="a")
    steps.take(connection, [Step([rows.added(NewMessage(message=message(), content=b"", event=event))])])
    change = cancelled(message())
    step = Step([], rows.changed(change))
    assert steps.take(connection, [step, step]) == [True, False]
    assert queries.find(connection, message().id) == change.after
    connection.close()


def test_times_sort_as_text_and_read_as_times() -> None:
    moments = [
        datetime(999, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 22, 9, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        datetime(2026, 11, 22, 11, 0, 0, 1, tzinfo=timezone(timedelta(hours=1))),
    ]
    texts = [rows.time(one) for one in moments]
    assert texts[2] == "2026-11-22T10:00:00.000000Z"
    assert texts == sorted(texts)
    assert [rows.moment(text) for text in texts] == moments
    assert {len(text) for text in texts} == {27}


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rows.time(datetime(2026, 11, 22))  # noqa: DTZ001  it is what is tested


def test_half_a_character_in_a_header_does_not_keep_the_message_out() -> None:
    connection = fresh()
    broken = "caf\udce9"
    held = message(
        recipient(reply=broken), subject=broken, message_id=broken, helo=broken, peer=broken, protocol=broken
    )
    event = Event(at=NOW, event="received", by="a", detail={"subject": broken})
    steps.take(connection, [Step([rows.added(NewMessage(message=held, content=b"", event=event))])])
    found = queries.find(connection, held.id)
    assert found.subject == "caf?"
    assert queries.events(connection, held.id) == [event]
    connection.close()
