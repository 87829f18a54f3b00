"""Reads the inside of messages away from the event loop, within a deadline."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from mailguard.core.body import read_body
from mailguard.core.facts import Body, Headers

# Reading is linear, so this much takes a few milliseconds at worst: less than a thread costs everybody.
AT_ONCE = 16 * 1024
DEADLINE = timedelta(seconds=2)
THREADS = 2
# What is larger may take a second to read, and has a thread of its own: however much of it comes at once,
# ordinary mail does not wait behind it.
HEAVY = 1024 * 1024


class BodyReader:
    """ports.Bodies: small messages at once, others in one of `threads`, heavy ones one after the other.

    A message whose turn and reading take longer than `deadline` comes back as unreadable. One whose turn has
    not come by then is never read; one that is being read ends by itself, because that is bounded too
    (core/body.py).
    """

    def __init__(self, *, deadline: timedelta = DEADLINE, threads: int = THREADS) -> None:
        self._deadline = deadline.total_seconds()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bodies")
        self._heavy = ThreadPoolExecutor(1, thread_name_prefix="heavy-bodies")

    async def read(self, content: bytes, headers: Headers) -> Body:
        """The body's text and attachments; never raises."""
        if len(content) <= AT_ONCE:
            return _read(content)
        loop = asyncio.get_running_loop()
        threads = self._threads if len(content) <= HEAVY else self._heavy
        try:
            async with asyncio.timeout(self._deadline):
                return await loop.run_in_executor(threads, _read, content)
        except (TimeoutError, RuntimeError):
            # Too slow, or close() came first.
            return Body(readable=False)

    def close(self) -> None:
        """Let the threads go when they are done."""
        for threads in (self._threads, self._heavy):
            threads.shutdown(wait=False, cancel_futures=True)


def _read(content: bytes) -> Body:
    try:
        return read_body(content)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError, OverflowError):
        # The last fence: a fault of ours is a message that could not be read, and so is held.
        return Body(readable=False)
