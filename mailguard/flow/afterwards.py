"""What is learnt of mail that has left, once nothing else is waiting to leave.

To learn costs as much as to send. Whoever relays does not wait for it: the next message goes first, and many
that have left are learnt together, with one sync of the disk for all. What a stop by force cuts off here was
sent and is recorded as sent; only the memory is poorer by it.
"""

import asyncio
from dataclasses import dataclass

from mailguard.core.hold import HeldMessage
from mailguard.flow.remember import Remember

# How many may wait to be learnt, and how large each may be: at most 16 MB all together. What is more is
# learnt by who relayed it, and so slows the relaying down.
MOST = 500
LARGEST = 32 * 1024
# So many are learnt together.
TOGETHER = 50
# Seconds that mail which is still leaving has the right of way.
PATIENCE = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Departed:
    message: HeldMessage
    content: bytes
    left: bool


class Afterwards:
    """`quiet` is set while nothing is leaving."""

    def __init__(self, remember: Remember, quiet: asyncio.Event) -> None:
        self._remember = remember
        self._quiet = quiet
        self._waiting: asyncio.Queue[_Departed] = asyncio.Queue(MOST)

    async def learn(self, message: HeldMessage, content: bytes, *, left: bool) -> None:
        """Learn it later, or at once where too many wait already. Never raises."""
        if len(content) > LARGEST or self._waiting.full():
            await self._remember.departed(message, content, left=left)
        else:
            self._waiting.put_nowait(_Departed(message=message, content=content, left=left))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            first = await self._waiting.get()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._quiet.wait()
            except TimeoutError:
                pass
            await self._learn([first, *self._more(TOGETHER - 1)])

    async def finish(self) -> None:
        """Learn all that waits."""
        while some := self._more(TOGETHER):
            await self._learn(some)

    def _more(self, most: int) -> list[_Departed]:
        return [self._waiting.get_nowait() for _ in range(min(most, self._waiting.qsize()))]

    async def _learn(self, some: list[_Departed]) -> None:
        departed = self._remember.departed
        await asyncio.gather(*[departed(one.message, one.content, left=one.left) for one in some])
