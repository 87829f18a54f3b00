"""Durations as the files and people write them: `30s`, `5m`, `2h`, `1d`, `0s`."""

import re
from datetime import timedelta

FORM = "a duration such as 30s, 5m, 2h, 1d or 0s"
PATTERN = "^[0-9]{1,6}[smhd]$"

# Ten years; a time further off is a slip of the finger, and would end beyond the calendar.
LONGEST = timedelta(days=3660)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Read a duration. Raises ValueError, in words for a person, where it is none."""
    if re.fullmatch(PATTERN, text, re.ASCII) is None:
        raise ValueError(f"{text!r} is no duration")
    length = timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    if length > LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return length


def spelled(length: timedelta) -> str:
    """A duration of whole seconds in the longest unit that says it without a fraction."""
    seconds = int(length.total_seconds())
    for unit, worth in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % worth == 0:
            return f"{seconds // worth}{unit}"
    return f"{seconds}s"
