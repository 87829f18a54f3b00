"""Tells whoever watches that something of theirs has changed: that it did, never what.

A change costs one entry in a set, however many watch; now and then the set is held against the watchers.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mailguard.core.hold import HeldMessage

# How long changes are gathered before anybody is told.
GATHER = 0.25
# So many messages changed at once that everybody may as well look.
MOST = 2000


class Watcher:
    """Somebody who watches; `wait` returns when something of theirs has changed since the last time."""

    def __init__(self, concerns: Callable[[HeldMessage], bool]) -> None:
        self.concerns = concerns
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Something of theirs has changed."""
        self._changed.set()

    @property
    def told(self) -> bool:
        """Whether something has changed that was not waited for yet."""
        return self._changed.is_set()

    async def wait(self, seconds: float) -> bool:
        """Whether something changed within this time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        changed = self._changed.is_set()
        self._changed.clear()
        return changed


class Changes:
    """The watchers, and what changed since they were told the last time."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._fresh: dict[str, HeldMessage] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None

    def happened(self, message: HeldMessage) -> None:
        """A message is new, or another than before."""
        if not self._watchers:
            return
        if len(self._fresh) < MOST:
            self._fresh[message.id] = message
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER, self._begin)

    def elsewhere(self) -> None:
        """Another guard of the queue has changed something: everybody may as well look."""
        for watcher in self._watchers:
            watcher.tell()

    def _begin(self) -> None:
        fresh, self._fresh, self._gathering = list(self._fresh.values()), {}, None
        self._telling = asyncio.create_task(self._tell(fresh, self._telling))

    async def _tell(self, fresh: list[HeldMessage], before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await before
        for watcher in tuple(self._watchers):
            if len(fresh) >= MOST or any(watcher.concerns(one) for one in fresh):
                watcher.tell()
            # Hundreds of them, one after the other, would keep the loop from everybody else.
            await asyncio.sleep(0)

    @contextmanager
    def watched(self, concerns: Callable[[HeldMessage], bool]) -> Iterator[Watcher]:
        """Watch for as long as the context lasts; `concerns` tells whether a message is of interest."""
        watcher = Watcher(concerns)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
