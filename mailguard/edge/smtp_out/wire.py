"""One connection to an SMTP server, seen as lines written and replies read."""

import asyncio
import math
import re
from collections import deque
from datetime import timedelta

from mailguard.core.value import dataclass

# RFC 5321 section 4.5.3.1.5 says 512 octets a line; the rest is for servers that say more than they may.
LONGEST_LINE = 8192
LONGEST_REPLY = 64 * 1024

# A limit of minutes is set for every reply and hardly ever met: the alarm for it stays where it is for so
# many seconds, and is set anew only then.
_LOOK_EVERY = 30.0

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?")


class Broken(Exception):
    """The connection is of no more use: it was lost, or what came over it is no SMTP."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A server's answer; the lines of a long one are joined by a space."""

    code: int
    text: str

    @property
    def positive(self) -> bool:
        """Whether it is a yes (RFC 5321 section 4.2.1)."""
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class Wire(asyncio.Protocol):
    """Replies are kept in order until they are asked for, so several commands may be under way.

    What came before the connection was lost is still given out; then reply() raises Broken. Whoever waits
    for longer than `within` said last hears TimeoutError.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._size = 0
        self._replies: deque[Reply] = deque()
        self._trouble: str | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._drained: asyncio.Future[None] | None = None
        self._cut = False
        self._until = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    @property
    def flushed(self) -> bool:
        """Whether all that was written has left this process, and so may have arrived. Behind TLS a last part
        may still have been here: in doubt it counts as gone."""
        return not (self._cut or self._paused)

    @property
    def whole(self) -> bool:
        """Whether the server is still there."""
        return self._trouble is None

    @property
    def quiet(self) -> bool:
        """Whether the server has said nothing that nobody asked for yet, and is still there."""
        return self._trouble is None and not self._replies and not self._buffer and not self._lines

    def adopt(self, transport: asyncio.Transport) -> None:
        """Take over a connection that something else has opened."""
        self._transport = transport
        transport.set_protocol(self)
        # Paused then means that something of what was written is still here. With 0 asyncio's TLS would wait
        # for less than nothing.
        transport.set_write_buffer_limits(high=1, low=0)
        if transport.is_closing():
            self._break("the connection was closed")

    def write(self, data: bytes | memoryview) -> None:
        """Send; see drained(). Raises Broken."""
        if self._trouble is not None or self._transport is None:
            raise Broken(self._trouble or "not connected")
        self._transport.write(data)
        if self._transport.is_closing():
            # The connection was gone already, or this was refused by it.
            self._cut = True

    def within(self, limit: timedelta) -> None:
        """From now on whoever waits here is let down after this time, counted from now."""
        self._until = asyncio.get_running_loop().time() + limit.total_seconds()
        if self._alarm is not None and self._until < self._rings_at:
            self._set_alarm()

    async def drained(self) -> None:
        """Wait until the server has taken most of what was written. Raises Broken, TimeoutError."""
        if self._paused and self._trouble is None:
            self._drained = self._wait()
            await self._drained
        if self._trouble is not None:
            raise Broken(self._trouble)

    async def reply(self) -> Reply:
        """The next reply. Raises Broken when there will be none, TimeoutError."""
        while not self._replies:
            if self._trouble is not None:
                raise Broken(self._trouble)
            self._waiter = self._wait()
            await self._waiter
        return self._replies.popleft()

    def _wait(self) -> asyncio.Future[None]:
        if self._alarm is None and self._until < math.inf:
            self._set_alarm()
        return asyncio.get_running_loop().create_future()

    def _set_alarm(self) -> None:
        loop = asyncio.get_running_loop()
        if self._alarm is not None:
            self._alarm.cancel()
        self._rings_at = min(self._until, loop.time() + _LOOK_EVERY)
        self._alarm = loop.call_at(self._rings_at, self._look)

    def _look(self) -> None:
        self._alarm = None
        waiting = [one for one in (self._waiter, self._drained) if one is not None and not one.done()]
        if not waiting:
            # Who waits next sets it again.
            return
        if asyncio.get_running_loop().time() < self._until:
            self._set_alarm()
            return
        for one in waiting:
            one.set_exception(TimeoutError())

    def early_reply(self) -> Reply | None:
        """A reply that is there already, if there is one."""
        return self._replies.popleft() if self._replies else None

    def close(self) -> None:
        """Send what is written and hang up."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        self._break("the connection was given up")
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        begin = 0
        while self._trouble is None and (end := self._buffer.find(b"\n", begin)) >= 0:
            self._take(bytes(self._buffer[begin:end]).rstrip(b"\r"))
            begin = end + 1
        del self._buffer[:begin]
        if len(self._buffer) > LONGEST_LINE:
            self._break("its reply has no end")

    def _take(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        self._size += len(line)
        same = match is not None and (not self._lines or self._lines[0][:3] == match[1])
        if match is None or not same or len(line) > LONGEST_LINE or self._size > LONGEST_REPLY:
            self._break("its reply is no SMTP, or has no end")
            return
        self._lines.append(line)
        if match[2] == b"-":
            return
        text = b" ".join(line[4:].strip() for line in self._lines).decode("utf-8", "replace")
        self._replies.append(Reply(code=int(match[1]), text=text))
        self._lines.clear()
        self._size = 0
        self._wake()

    def _break(self, trouble: str) -> None:
        if self._trouble is None:
            self._trouble = trouble
            # What was still here then will never leave.
            self._cut = self._cut or self._paused
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._wake()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def eof_received(self) -> bool:
        self._break("it closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(f"the connection was lost: {exc}" if exc else "it closed the connection")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
