"""Work that blocks, in a thread of its own, with an end to the waiting for it.

A thread cannot be stopped. One that hangs is left behind: it keeps its place among the few, and, as a daemon,
keeps no process from ending.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class Aside:
    """At most `places` threads at a time, those that were left behind included."""

    def __init__(self, *, name: str, places: int, deadline: float) -> None:
        self._name = name
        self._free = asyncio.Semaphore(places)
        self._deadline = deadline

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises TimeoutError where it takes longer than the deadline, the
        waiting for a free place included."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._deadline):
            await self._free.acquire()
            future: asyncio.Future[T] = loop.create_future()
            arguments = (loop, future, work)
            threading.Thread(target=self._work, args=arguments, name=self._name, daemon=True).start()
            return await future

    def _work(
        self, loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]", work: Callable[[], T]
    ) -> None:
        settle: Callable[[], None]
        try:
            settle = partial(_result, future, work())
        except Exception as error:  # noqa: BLE001  it is the waiter's
            settle = partial(_failure, future, error)
        # A loop that is closed waits for nothing.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle)
            loop.call_soon_threadsafe(self._free.release)


def _result(future: "asyncio.Future[T]", result: T) -> None:
    if not future.done():
        future.set_result(result)


def _failure(future: "asyncio.Future[T]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
