"""The clock of the state machine: it stands still, but for those who only wait a moment."""

import asyncio
import contextlib
from datetime import datetime, timedelta

from tests.making import NOW

# The pauses of somebody who looks again soon; longer sleeps are the timer's.
SHORT = 0.25


class Clock:
    """ports.Clock: stands still, but for those who only wait a moment."""

    def __init__(self) -> None:
        self._now = NOW
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """What the machine says it is."""
        return self._now

    def steady(self) -> contextlib.AbstractContextManager[None]:
        """Nobody follows a step here."""
        return contextlib.nullcontext()

    def steady_since(self, tick: float) -> bool:
        """As above."""
        return True

    def monotonic(self) -> float:
        """Moves with the wall clock, and a little with the impatient."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Until the time has gone by."""
        if seconds < SHORT:
            self._monotonic += seconds
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._monotonic + seconds, woken))
        await woken

    def step(self, by: timedelta) -> None:
        """Somebody sets the wall clock."""
        self._now += by

    def advance(self, by: timedelta) -> None:
        """Time goes by."""
        self._now += by
        self._monotonic += by.total_seconds()
        for until, woken in self._sleepers:
            if until <= self._monotonic and not woken.done():
                woken.set_result(None)
        self._sleepers = [(until, woken) for until, woken in self._sleepers if not woken.done()]
