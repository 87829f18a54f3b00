"""Durations and times as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from mailguard.cli.when import duration, moment
from tests.making import NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("10 m", timedelta(minutes=10)),
        ("2H", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "5m30s", "5y", "9" * 20 + "d"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="expected one like"):
        duration(text)


def test_a_clock_time_is_the_next_one() -> None:
    at = moment("18:30", NOW)
    assert NOW < at <= NOW + timedelta(days=1)
    assert (at.astimezone().hour, at.astimezone().minute) == (18, 30)


def test_an_iso_time_is_taken_as_it_is() -> None:
    assert moment("2026-11-22T18:30:00Z", NOW) == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "25:00", "tomorrow"])
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="expected one like"):
        moment(text, NOW)
