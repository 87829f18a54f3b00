"""Durations and times as people type them on the command line."""

import re
from datetime import datetime, time, timedelta

_DURATION = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def duration(text: str) -> timedelta:
    """`30s`, `5m`, `2h`, `1d`. Raises ValueError with a sentence for the person who typed it."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no duration; expected one like 30s, 10m, 2h or 1d")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than anybody can wait; expected one like 10m") from error


def moment(text: str, now: datetime) -> datetime:
    """`18:30` (the next one on the local clock) or an ISO 8601 time. `now` is aware.

    Raises ValueError with a sentence for the person who typed it.
    """
    try:
        if match := _CLOCK.fullmatch(text.strip()):
            local = now.astimezone()
            at = datetime.combine(local.date(), time(int(match[1]), int(match[2])), tzinfo=local.tzinfo)
            return at if at > now else at + timedelta(days=1)
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time; expected one like 18:30 or 2026-11-22T18:30:00Z") from error
