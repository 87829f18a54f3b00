"""The alarm clock between those who know of a due time and the loop that sleeps until the next one."""

import asyncio
from datetime import datetime, timedelta

from mailguard.ports import Clock

# The wall clock may be set while the loop sleeps; a short sleep bounds what that can cost.
LONGEST_SLEEP = timedelta(seconds=5)


class Alarm:
    """`wait` sleeps until a time; `sound` wakes it where an earlier time has come up."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()
        self._until: datetime | None = None

    def sound(self, at: datetime) -> None:
        """Something is due at `at`; cheap where that is not before the time slept for anyway."""
        if self._until is None or at < self._until:
            self._rung.set()

    def ring(self) -> None:
        """Whatever is slept for, it is to be looked again at once."""
        self._rung.set()

    async def wait(self, due: datetime | None) -> None:
        """Sleep until `due` (None: until the alarm sounds), but never for long."""
        now = self._clock.now()
        until = now + LONGEST_SLEEP
        self._until = min(due, until) if due is not None else until
        seconds = (self._until - now).total_seconds()
        if seconds > 0 and not self._rung.is_set():
            await self._sleep(seconds)
        self._rung.clear()
        self._until = None

    async def _sleep(self, seconds: float) -> None:
        tasks = (
            asyncio.ensure_future(self._rung.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        )
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
