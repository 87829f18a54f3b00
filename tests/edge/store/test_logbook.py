"""Rows of the log of observations, before any database has them."""

import pytest

from mailguard.edge.store import logbook
from mailguard.edge.store.logbook import Erasing, Row
from tests.edge.store.contract_records import BOB, entry
from tests.edge.store.samples import RecordingLog


def rows(count: int) -> list[Row]:
    """As a database gives them back."""
    made = logbook.batch([entry(mark, 100 + mark) for mark in range(1, count + 1)], "", "")
    return [(number, *row) for number, row in enumerate(made.rows, 1)]


def test_what_is_written_is_what_is_read(log: RecordingLog) -> None:
    read = logbook.decoded(rows(3), log)
    assert [(one.number, one.mark, one.observation.when) for one in read] == [
        (1, 1, 101),
        (2, 2, 102),
        (3, 3, 103),
    ]
    assert read[0].observation == entry(1, 101).observation
    assert not log.troubles


def test_a_batch_weighs_by_its_rows_and_has_a_place_that_can_be_stored() -> None:
    batch = logbook.batch([entry(1, 1), entry(2, 2)], "/mail/\udce9", "7\0")
    assert batch.weight == 2 * logbook.WEIGHT
    assert (batch.source, batch.place) == ("/mail/?", "7?")


async def test_a_row_that_cannot_be_read_is_told_and_passed_over(log: RecordingLog) -> None:
    good = rows(4)
    broken: list[Row] = [(*row[:5], b"") for row in good[:3]]
    stretch = [*broken, good[3]]

    async def read(after: tuple[int, int]) -> list[Row]:
        return [row for row in stretch if (row[1], row[0]) > after][:2]

    # Two of them are all that the first look finds.
    found = await logbook.next_entries((0, 0), read, log)
    assert [one.number for one in found] == [4]
    assert [fields["number"] for fields in log.told("record_unreadable")] == [1, 2, 3]
    assert await logbook.next_entries((104, 4), read, log) == []


def test_of_what_nobody_can_read_nothing_is_left() -> None:
    [(*_, content)] = rows(1)
    assert logbook.left_of(b"", BOB) is None
    assert logbook.left_of(content, "stranger@nowhere.example") == content
    assert logbook.left_of(content, BOB) != content


async def test_every_row_is_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "AT_ONCE", 3)
    steps: list[tuple[int, int]] = []

    async def erase(step: Erasing) -> int:
        assert step.sought == b"bob@client.example"
        steps.append((step.after, step.last))
        return 2

    assert await logbook.all_steps("bob@client.example", 7, erase) == 6
    assert steps == [(0, 3), (3, 6), (6, 9)]
    assert await logbook.all_steps("bob@client.example", 0, erase) == 0


def test_what_was_meant_is_found_by_person() -> None:
    rows = [("a", "code", "x@x"), ("b", "code", "x@x"), ("a", "other", "y@x")]
    assert logbook.by_person(rows) == {
        "a": frozenset({("code", "x@x"), ("other", "y@x")}),
        "b": frozenset({("code", "x@x")}),
    }
