from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailguard.core.hours import window

# A Monday; Paris is an hour ahead of UTC in November, two in summer.
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return MONDAY.replace(day=23 + day, hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("text", "now", "inside"),
    [
        ("mon-fri 09:00-17:00 UTC", at(0, 9), True),
        ("mon-fri 09:00-17:00 UTC", at(0, 17), False),
        ("mon-fri 09:00-17:00 UTC", at(5, 12), False),
        ("09:00-17:00 UTC", at(6, 16, 59), True),
        ("sat,sun UTC", at(6, 0), True),
        ("sat,sun UTC", at(0, 0), False),
        ("Saturday UTC", at(5, 23, 59), True),
        # Over midnight: the window belongs to the day on which it starts.
        ("fri 22:00-06:00 UTC", at(4, 23), True),
        ("fri 22:00-06:00 UTC", at(5, 5, 59), True),
        ("fri 22:00-06:00 UTC", at(5, 6), False),
        ("fri 22:00-06:00 UTC", at(4, 5), False),
        ("sun 22:00-06:00 UTC", at(0, 5), True),
        ("fri-mon UTC", at(0, 12), True),
        ("fri-mon UTC", at(1, 12), False),
        ("fri 18:00-24:00 UTC", at(4, 23, 59), True),
        ("fri 18:00-24:00 UTC", at(5, 0), False),
        # The clock on the wall of the place.
        ("mon 00:00-01:00 Europe/Paris", at(-1, 23, 30), True),
        ("mon 08:00-09:00 Europe/Paris", at(0, 7, 30), True),
        ("08:00-09:00 Europe/Paris", datetime(2026, 7, 1, 6, 30, tzinfo=UTC), True),
        ("mon - fri , sun 9:00 - 17:00 UTC", at(6, 9), True),
    ],
)
def test_a_window_is_open_at_its_times(text: str, now: datetime, inside: bool) -> None:
    assert window(text, ZoneInfo).contains(now) is inside


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no time"),
        ("Europe/Paris", "names no days or hours"),
        ("mon-fri 09:00-17:00", "are no hours|no time zone"),
        ("mon-fri 09:00-17:00 Europe/Pari", "no time zone 'Europe/Pari'"),
        ("mon ../etc/passwd", "no time zone"),
        ("montag UTC", "'montag' is no weekday"),
        ("mon-fri 25:00-26:00 UTC", "no hours of a day"),
        ("mon-fri 09:60-17:00 UTC", "no hours of a day"),
        ("mon 9-17:00 UTC", "'9-17:00' are no hours"),
        ("mon 09:00-09:00 UTC", "end when they start"),
        ("mon tue 09:00-17:00 UTC", "more in it"),
    ],
)
def test_what_is_no_window_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        window(text, ZoneInfo)
