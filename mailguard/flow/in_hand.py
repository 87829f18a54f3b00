"""How much is in the timer's hands, and how much more it may take.

What is in hand no cancel finds, and a kill leaves it in doubt: so it is little where mail leaves slowly.
Where it leaves fast the store is asked seldom and for much, because a claim of a hundred costs little more
than one of ten.
"""

import asyncio
from collections.abc import Sequence

from mailguard.core.hold import Claimed
from mailguard.ports import Clock

# How many messages for each worker, however slowly they leave: none waits for the claim.
AHEAD = 2
# Where they leave fast: as many as leave in so many seconds.
SOON = 0.25
MOST = 500
# Bytes of messages, above which nothing more is claimed: a server that hangs must not fill the memory. One
# claim may go over it by as much as a claim brings.
MOST_BYTES = 128 * 1024 * 1024


class InHand:
    """`idle` is set while nothing is in hand."""

    def __init__(self, workers: int, clock: Clock) -> None:
        self._fewest = workers * AHEAD
        self._clock = clock
        self._most = self._fewest
        self._messages = 0
        self._bytes = 0
        self._left = 0
        self._since = clock.monotonic()
        self.idle = asyncio.Event()
        self.idle.set()

    def room(self) -> int:
        """How many messages may be claimed now; 0 where none."""
        now = self._clock.monotonic()
        if now - self._since >= SOON:
            soon = round(self._left * SOON / (now - self._since))
            self._most = max(self._fewest, min(soon, MOST))
            self._left, self._since = 0, now
        return max(self._most - self._messages, 0) if self._bytes < MOST_BYTES else 0

    @property
    def low(self) -> bool:
        """Whether it is time to claim more, so that it is here when the rest has left."""
        return self._messages <= self._most // 2

    def take(self, claimed: Sequence[Claimed]) -> None:
        """These were claimed."""
        self._messages += len(claimed)
        self._bytes += sum(len(one.content) for one in claimed)
        if claimed:
            self.idle.clear()

    def done_with(self, claimed: Claimed) -> None:
        """It is written down what came of one."""
        self._messages -= 1
        self._bytes -= len(claimed.content)
        self._left += 1
        if not self._messages:
            self.idle.set()
