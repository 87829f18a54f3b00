"""Durations and times as people type them on the command line."""

import re
from datetime import datetime, time, timedelta

from mailguard.core import durations

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def duration(text: str) -> timedelta:
    """`30s`, `5m`, `2h`, `1d`, also `10 M`. Raises ValueError with a sentence for the person who typed it."""
    try:
        return durations.duration("".join(text.split()).lower())
    except ValueError as error:
        raise ValueError(f"{error}; expected one like 30s, 10m, 2h or 1d") from error


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
