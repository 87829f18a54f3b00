"""Looks after the machine that the guard runs on: room on its disk, its clock, its open files."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime

from mailguard.core.errors import StoreError
from mailguard.ports import Clock, Store, Watched

EVERY_SECONDS = 5.0


class Watch:
    """What is `watched` tells the log by itself when something changes; here it is asked again and again.
    `tell` hears of each trouble once, when it begins."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        watched: Sequence[Watched],
        tell: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._watched = tuple(watched)
        self._tell = tell
        self._troubled: frozenset[int] = frozenset()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Once, at everything."""
        for part in self._watched:
            # Asked anew for each: the clock is set by it, so it must be true at that moment.
            await part.look(await self._next_due())
        self._tell_of_new()

    async def _next_due(self) -> datetime | None:
        tick = self._clock.monotonic()
        with contextlib.suppress(StoreError):
            next_due = await self._store.next_due()
            if self._clock.steady_since(tick):
                return next_due
        # Whatever waits, or is about to, may leave at any moment.
        return self._clock.now()

    def _tell_of_new(self) -> None:
        """Of a trouble with a part that had none at the last look; its words may have numbers that change."""
        told = {number: text for number, part in enumerate(self._watched) if (text := part.told())}
        new = [text for number, text in told.items() if number not in self._troubled]
        self._troubled = frozenset(told)
        if new and self._tell is not None:
            self._tell(new)

    def troubles(self) -> list[str]:
        """What is wrong at this moment, and what to do about it, for people."""
        return [text for text in (part.told() for part in self._watched) if text]

    def refusing(self) -> bool:
        """Whether one of them keeps mail from being taken."""
        return any(part.refuses() for part in self._watched)
