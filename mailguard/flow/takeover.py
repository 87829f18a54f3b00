"""Where several guards share a queue: what one of them had in hand when it was last heard of goes on here."""

from collections.abc import Awaitable, Callable

from mailguard.core.errors import StoreError
from mailguard.ports import Clock, Log

EVERY_SECONDS = 2.0


class TakeOver:
    """Looks every few seconds; `recover` takes over what it finds, and says how much that was."""

    def __init__(self, *, recover: Callable[[], Awaitable[int]], clock: Clock, log: Log) -> None:
        self._recover = recover
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            try:
                await self._recover()
            except StoreError as error:
                self._log.trouble("store_error", error=str(error))
