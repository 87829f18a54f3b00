"""Looks after the machine that the guard runs on: room on its disk, its clock, its open files."""

from collections.abc import Sequence
from datetime import datetime

from mailguard.core.errors import StoreError
from mailguard.ports import Clock, Store, Watched

EVERY_SECONDS = 5.0


class Watch:
    """What is `watched` tells the log by itself when something changes; here it is asked again and again."""

    def __init__(self, *, store: Store, clock: Clock, watched: Sequence[Watched]) -> None:
        self._store = store
        self._clock = clock
        self._watched = tuple(watched)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Once, at everything."""
        next_due: datetime | None
        try:
            next_due = await self._store.next_due()
        except StoreError:
            # Whatever waits may leave at any moment.
            next_due = self._clock.now()
        for part in self._watched:
            await part.look(next_due)

    def troubles(self) -> list[str]:
        """What is wrong at this moment, and what to do about it, for people."""
        return [text for text in (part.told() for part in self._watched) if text]
