"""The time that the guard goes by: it starts with the wall clock, and no step of the wall clock moves it.

A sender who was told "until 10:05" at 10:00 was promised five minutes. When somebody sets the wall clock an
hour ahead meanwhile, the message must not leave at once; when it is set back, it must not wait an hour more.
So this time is the wall clock at the start plus the time that really went by since, sleep of the machine
included (CLOCK_BOOTTIME). What a time server corrects slowly, it corrects in both alike. A step is made up
for slowly, by DRIFT of the time that goes by, which is less than the `margin` for any usual delay; and at
once, where nothing waits that is due sooner than the step is long (Steps). On the disk are times of the wall
clock: a restart starts with it again, and what is due by it leaves. Zones and summer time play no part: all
of this is UTC.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mailguard.ports import Log

# A millisecond a second: an hour is made up for in six weeks, a second in 17 minutes.
DRIFT = 0.001
# What a step is, and not the noise between two readings.
STEP = 0.5


class SystemClock:
    """ports.Clock on the machine's clocks."""

    def __init__(self) -> None:
        self._wall: Callable[[], float] = wall
        self._elapsed = elapsed()
        self._time = wall()
        # How often the wall clock was taken over.
        self.adoptions = 0
        self._holders = 0
        self._held_until = -1.0

    def follow(self, clock: Callable[[], float]) -> None:
        """Take this one (seconds since 1970) for the wall clock from now on, at once: where several guards
        share a queue, they go by one clock."""
        self._wall = clock
        self.adopt()

    def now(self) -> datetime:
        """The guard's time, aware, in UTC."""
        return datetime.fromtimestamp(self._read(), UTC)

    def behind(self) -> timedelta:
        """How far the wall clock is ahead of the guard's time; negative where it was set back."""
        return timedelta(seconds=self._wall() - self._read())

    def adopt(self) -> None:
        """Go by the wall clock from now on."""
        self._elapsed, self._time = elapsed(), self._wall()
        self.adoptions += 1

    def steady(self) -> contextlib.AbstractContextManager[None]:
        """A time is reckoned meanwhile that is not in the store yet: no step may be followed."""
        return _Steady(self)

    def hold(self) -> None:
        """Somebody begins to reckon with it."""
        self._holders += 1

    def let_go(self) -> None:
        """And has ended."""
        self._holders -= 1
        self._held_until = time.monotonic()

    def steady_since(self, tick: float) -> bool:
        """Whether it was held for nobody since the monotonic time `tick`, and is not now."""
        return not self._holders and self._held_until < tick

    def monotonic(self) -> float:
        """Seconds that never jump, not even when somebody sets the clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)

    def _read(self) -> float:
        at = elapsed()
        gone = max(0.0, at - self._elapsed)
        self._elapsed = at
        straight = self._time + gone
        # Never back, and never faster or slower than by DRIFT.
        self._time = straight + max(-gone * DRIFT, min(gone * DRIFT, self._wall() - straight))
        return self._time


class _Steady(contextlib.AbstractContextManager[None]):
    """Not a generator with a decorator, because every message has one."""

    __slots__ = ("_clock",)

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._clock.hold()

    def __exit__(self, *error: object) -> None:
        self._clock.let_go()


def wall() -> float:
    """Seconds since 1970, as the machine's clock is set."""
    return time.time()


def elapsed() -> float:
    """Seconds that go by, also while the machine sleeps."""
    # Only Linux knows it.
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Steps:
    """Tells the log of steps of the wall clock, and lets the guard's time follow where that moves nothing."""

    def __init__(self, clock: SystemClock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._known = timedelta(0)

    async def look(self, next_due: datetime | None) -> None:
        """Where the wall clock stands, every few seconds; `next_due` is when the next message leaves."""
        behind = self._clock.behind()
        if abs(behind - self._known).total_seconds() >= STEP:
            self._log.trouble("clock_stepped", by=behind - self._known, wall_clock_ahead=behind)
        self._known = behind
        if abs(behind).total_seconds() < STEP:
            return
        # What leaves later than the step is long goes by the wall clock, as its sender does.
        if next_due is None or next_due - self._clock.now() > abs(behind):
            self._clock.adopt()
            self._known = timedelta(0)
            self._log.event("clock_adopted", by=behind)

    def told(self) -> str | None:
        """What the operator should know of it; None where the clocks agree."""
        if abs(self._known).total_seconds() < STEP:
            return None
        return (
            f"the wall clock was set: it is {self._known.total_seconds():+.0f} s from the guard's time, by"
            " which what waits will leave; a restart takes the new time over at once"
        )

    def refuses(self) -> bool:
        """Never: mail is taken all the same."""
        return False
