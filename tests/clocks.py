"""A clock that stands still until a test moves it."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.making import NOW


class FakeClock:
    """ports.Clock: `advance` moves wall clock and monotonic time, `jump` only the wall clock."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._monotonic = 1000.0
        self.holders = self.holds = 0
        self._held_until = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The time that the test says it is."""
        return self._now

    @contextlib.contextmanager
    def steady(self) -> Iterator[None]:
        """Counted, so that a test can look."""
        self.holders += 1
        self.holds += 1
        try:
            yield
        finally:
            self.holders -= 1
            self._held_until = self._monotonic

    def steady_since(self, tick: float) -> bool:
        """As ports.Clock has it; time stands still here, so what was held at `tick` itself counts."""
        return not self.holders and self._held_until < tick

    def monotonic(self) -> float:
        """Moves with `advance` only."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Until the test has advanced that far."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._monotonic + seconds, waiter))
        await waiter

    async def somebody_asleep(self) -> None:
        """Until somebody sleeps again; what was woken may be at work in a thread meanwhile."""
        async with asyncio.timeout(30):
            while not self._sleepers:
                await asyncio.sleep(0.005)

    def jump(self, by: timedelta) -> None:
        """Somebody sets the wall clock."""
        self._now += by

    async def advance(self, by: timedelta) -> None:
        """Time goes by, and whoever slept so long wakes up and gets a turn."""
        self._now += by
        self._monotonic += by.total_seconds()
        for until, waiter in self._sleepers:
            if until <= self._monotonic and not waiter.done():
                waiter.set_result(None)
        self._sleepers = [(until, waiter) for until, waiter in self._sleepers if not waiter.done()]
        await asyncio.sleep(0.01)
