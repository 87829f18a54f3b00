from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.durations import duration, spelled


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("0s", 0), ("007m", 420)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "m", "5 m", "5M", "-5m", "1.5h", "1h30m", "5min", "\u0665m", "5m\n", "9999999d", "99999d"],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no duration|longer than ten years"):
        duration(text)


@given(st.integers(0, 3660 * 86400))
def test_what_is_spelled_can_be_read(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    text = spelled(length)
    if len(text) <= 7:
        assert duration(text) == length


def test_the_longest_unit_is_used() -> None:
    assert [spelled(timedelta(minutes=minutes)) for minutes in (0, 1, 60, 90, 2880)] == [
        "0s",
        "1m",
        "1h",
        "90m",
        "2d",
    ]
