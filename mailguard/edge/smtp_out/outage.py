"""While the upstream as a whole is out, a thousand messages do not ask it one after the other."""

import asyncio
from datetime import timedelta

# So many transactions that broke off, with none between them that went well, are not one message's fault.
BROKEN_IN_A_ROW = 3


class Out(Exception):
    """The upstream was out a moment ago and is not asked again yet; the text says why."""


class Outage:
    """After a failure nobody asks for a pause, which grows from `first` to `longest` while it lasts. Then one
    attempt asks for all; the others wait for what it hears."""

    def __init__(self, *, first: timedelta, longest: timedelta) -> None:
        self._first = first.total_seconds()
        self._longest = longest.total_seconds()
        self._reason = ""
        self._until = 0.0
        self._failures = 0
        self._broken = 0
        self._asking: asyncio.Event | None = None

    async def turn(self) -> asyncio.Event | None:
        """The right to ask the upstream now, to be given back with `asked`. Raises Out."""
        while self._reason:
            if asyncio.get_running_loop().time() < self._until:
                raise Out(self._reason)
            if self._asking is None:
                self._asking = asyncio.Event()
                return self._asking
            await self._asking.wait()
        return None

    def asked(self, event: asyncio.Event | None) -> None:
        """Whoever had this turn has heard how the upstream is, or will not hear it."""
        if event is not None and self._asking is event:
            self._asking = None
            event.set()

    @property
    def reason(self) -> str:
        """Why it is out, as it was at the last attempt; "" where it is not."""
        return self._reason

    def over(self) -> None:
        """It asked for a message: the others need not wait until it has it."""
        self._reason = ""
        self.asked(self._asking)

    def went_well(self) -> None:
        """It answered to a whole transaction."""
        self.over()
        self._failures = self._broken = 0

    def failed(self, reason: str) -> None:
        """It would not be talked to, or told us to go away."""
        now = asyncio.get_running_loop().time()
        if now < self._until and self._reason:
            return
        self._reason = reason
        self._failures += 1
        self._until = now + min(self._first * 2 ** min(self._failures - 1, 30), self._longest)

    def broke(self, reason: str) -> None:
        """A transaction with it broke off."""
        self._broken += 1
        if self._broken >= BROKEN_IN_A_ROW:
            self.failed(reason)
