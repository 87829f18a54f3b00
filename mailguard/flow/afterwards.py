"""What is learnt of mail that has left, once nothing else is waiting to leave.

To learn costs as much as to send. Whoever relays does not wait for it: thousands may leave before any of them
is learnt, and many are learnt together, with one sync of the disk for all. What a stop by force cuts off here
was sent and is recorded as sent; only the memory is poorer by it. It cannot be read again: the bytes of what
is finished are gone from the store.
"""

import asyncio
from collections import deque

from mailguard.core.hold import HeldMessage
from mailguard.core.value import dataclass
from mailguard.flow.remember import Remember
from mailguard.ports import Log

# Bytes of what may wait to be learnt: ten thousand messages of usual size. What is more is learnt by who
# relayed it, and so slows the relaying down; and so is what is large, which would take the room of many.
ROOM = 64 * 1024 * 1024
LARGEST = 32 * 1024
# What a message takes in memory besides its bytes.
BESIDE = 2048
# So many are learnt together.
TOGETHER = 50
# Seconds that mail which is still leaving has the right of way; then it is the turn of some to be learnt.
PATIENCE = 2.0
# Seconds that a guard which stops goes on learning: a few thousand messages take one.
FAREWELL = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Departed:
    message: HeldMessage
    content: bytes
    left: bool


class Afterwards:
    """`quiet` is set while nothing is leaving."""

    def __init__(self, remember: Remember, quiet: asyncio.Event, log: Log) -> None:
        self._remember = remember
        self._quiet = quiet
        self._log = log
        self._waiting: deque[_Departed] = deque()
        self._room = ROOM
        self._some = asyncio.Event()
        self._learning = asyncio.Lock()

    async def learn(self, message: HeldMessage, content: bytes, *, left: bool) -> None:
        """Learn it later, or at once where too much waits already. Never raises."""
        weight = len(content) + BESIDE
        if len(content) > LARGEST or weight > self._room:
            await self._remember.departed(message, content, left=left)
            return
        self._room -= weight
        self._waiting.append(_Departed(message=message, content=content, left=left))
        self._some.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._quiet.wait()
            except TimeoutError:
                pass
            await self._learn_some()
            # Who hands in mail has a turn between two portions.
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Learn what waits, as long as a stop may take."""
        loop = asyncio.get_running_loop()
        until = loop.time() + FAREWELL
        await self._learn_some()
        while self._waiting and loop.time() < until:
            await self._learn_some()
        if self._waiting:
            self._log.trouble("not_learnt", messages=len(self._waiting), error="the guard stops")

    async def _learn_some(self) -> None:
        # Whoever finds nothing more has waited for those that are being learnt.
        async with self._learning:
            await self._learn_together()

    async def _learn_together(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        if not self._waiting:
            self._some.clear()
        self._room += sum(len(one.content) + BESIDE for one in some)
        departed = self._remember.departed
        await asyncio.gather(*[departed(one.message, one.content, left=one.left) for one in some])
