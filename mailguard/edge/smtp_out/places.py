"""Who may use a connection: a few at a time, and the others wait in a line."""

import asyncio
from collections import deque

from mailguard.core.value import dataclass
from mailguard.edge.smtp_out.parcel import Parcel


@dataclass(frozen=True, eq=False, slots=True)
class _Waiting:
    parcel: Parcel
    called: asyncio.Future[bool]


class Places:
    """`count` places. Whoever has one gives it up with `free`, or leaves it to somebody with `leave_to`."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._line: deque[_Waiting] = deque()
        # Those who wait for the connection that their envelope is on.
        self._promised: dict[Parcel, asyncio.Future[bool]] = {}

    async def take(self, parcel: Parcel) -> bool:
        """Wait for a place; whether it comes with the connection that the parcel's envelope is on."""
        if self._free > 0:
            self._free -= 1
            return False
        waiting = _Waiting(parcel, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        try:
            return await waiting.called
        except asyncio.CancelledError:
            if waiting.called.done() and not waiting.called.cancelled():
                # It was called at this very moment.
                if waiting.called.result() and parcel.planned is not None:
                    parcel.planned.session.abort()
                self.free()
            raise

    def first(self) -> Parcel | None:
        """Whose turn is next; None where nobody waits."""
        while self._line and self._line[0].called.done():
            self._line.popleft()
        return self._line[0].parcel if self._line else None

    def promise(self) -> None:
        """The first in the line waits for one connection from now on: its envelope is on it."""
        waiting = self._line.popleft()
        self._promised[waiting.parcel] = waiting.called

    def leave_to(self, parcel: Parcel, *, connected: bool) -> bool:
        """Leave a place to whom it was promised; False where he does not wait any more."""
        called = self._promised.pop(parcel)
        if called.done():
            return False
        called.set_result(connected)
        return True

    def free(self) -> None:
        """Give a place to the first in the line, or to whoever comes."""
        if self.first() is None:
            self._free += 1
            return
        self._line.popleft().called.set_result(False)
