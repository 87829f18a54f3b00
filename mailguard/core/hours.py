"""Times of the week, for rules that hold only then: `mon-fri 18:00-08:00 Europe/Paris`."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo

from mailguard.core.value import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORM = "days, hours and a time zone, such as mon-fri 18:00-08:00 Europe/Paris (days or hours may be left out)"

_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DAY = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Certain hours of certain weekdays, on the clock on the wall of one place.

    `days` counts from Monday, 0; `start` and `end` are minutes after midnight, `end` excluded. Where
    `end` is not after `start`, the window runs over midnight and belongs to the day on which it starts.
    """

    days: frozenset[int]
    start: int
    end: int
    zone: tzinfo

    def contains(self, now: datetime) -> bool:
        """Whether the window is open at this aware time."""
        local = now.astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


def window(text: str, zone_of: Callable[[str], tzinfo]) -> Window:
    """Read `[days] [hours] zone`. `zone_of` finds a time zone by name, or raises LookupError or ValueError.

    Raises ValueError, in words for a person, where the text is no window.
    """
    *rest, zone = re.sub(r"\s*([,-])\s*", r"\1", text).split() or [""]
    if not rest:
        raise ValueError(f"{text!r} names no {'days or hours' if zone else 'time'}")
    hours = _hours(rest.pop()) if ":" in rest[-1] else (0, _DAY)
    days = _days(rest.pop().lower()) if rest else frozenset(range(7))
    if rest:
        raise ValueError(f"{text!r} has more in it than days, hours and a zone")
    try:
        found = zone_of(zone)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"there is no time zone {zone!r}") from None
    return Window(days=days, start=hours[0], end=hours[1], zone=found)


def _hours(text: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} are no hours")
    from_hour, from_minute, to_hour, to_minute = (int(digits) for digits in match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if max(from_minute, to_minute) > 59 or start >= _DAY or end > _DAY:
        raise ValueError(f"{text!r} are no hours of a day")
    if start == end:
        raise ValueError(f"{text!r} end when they start; leave the hours out for the whole day")
    return start, end


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = _day(first)
        length = (_day(last) - start) % 7 if dash else 0
        days.update((start + step) % 7 for step in range(length + 1))
    return frozenset(days)


def _day(text: str) -> int:
    if text[:3] not in DAYS or text not in (text[:3], _FULL[text[:3]]):
        raise ValueError(f"{text!r} is no weekday")
    return DAYS.index(text[:3])


_FULL = dict(
    zip(DAYS, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True)
)
