"""Two processes of one guard talk: questions with answers both ways, and word that wants none.

A frame is a head, which says what it is about, and a body, which is bytes that nobody here looks into: of a
message, all of it, uncopied. Both ends are the same program, forked, so that there is nothing to agree on.
"""

import asyncio
import itertools
import struct
from collections.abc import Awaitable, Callable
from typing import cast

# Length of the body, length of the head, the question's number, and what the frame is.
_FRAME = struct.Struct("=QIIB")
_QUESTION, _ANSWER, _FAULT, _STOP, _WORD = range(5)

Answerer = Callable[[int, bytes, bytes], Awaitable[bytes]]
Hearer = Callable[[int, bytes], None]


class ChannelLost(ConnectionError):
    """The other process is gone; what became of what it had in hand is unknown."""


class AnswerFailed(Exception):
    """The other process failed at a question; its text is the name of the error."""


class Stopped(asyncio.CancelledError):
    """A question was taken back; `how` is the name of the error with which the answering ended, "" where
    there was an answer already."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Channel(asyncio.Protocol):
    """One end. `answer` has a question (what it is about, head, body) and gives the answer's head; `hear` has
    word; `lost` is called once, when the other end is gone."""

    _transport: asyncio.Transport | None = None

    def __init__(self, *, answer: Answerer, hear: Hearer, lost: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer = answer
        self._hear = hear
        self._lost = lost
        self._buffer = bytearray()
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}

    # ---- what it is for

    async def ask(self, about: int, head: bytes, body: bytes = b"") -> bytes:
        """The answer. Raises ChannelLost, AnswerFailed; and, where it is cancelled, Stopped as soon as the
        other end has stopped."""
        number = next(self._numbers) & 0xFFFFFFF
        self._send(_QUESTION, number, about, head, body)
        waiting: asyncio.Future[bytes] = self._loop.create_future()
        self._asked[number] = waiting
        try:
            return await waiting
        except asyncio.CancelledError as error:
            raise Stopped(await self._stop(number)) from error
        finally:
            del self._asked[number]

    async def _stop(self, number: int) -> str:
        waiting = self._asked[number]
        if waiting.cancelled():
            waiting = self._asked[number] = self._loop.create_future()
            self._send(_STOP, number, 0, b"")
        try:
            await waiting
        except AnswerFailed as failed:
            return str(failed)
        return ""

    def tell(self, about: int, head: bytes) -> None:
        """Say something; nothing comes of it where the other end is gone."""
        if self._transport is not None:
            self._send(_WORD, 0, about, head)

    def close(self) -> None:
        """Let the other end know that this one is gone."""
        if self._transport is not None:
            self._transport.close()

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The other end is there."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take apart what is whole."""
        buffer, at = self._buffer, 0
        buffer += data
        while len(buffer) - at >= _FRAME.size:
            body, head, number, kind = _FRAME.unpack_from(buffer, at)
            begin = at + _FRAME.size
            if len(buffer) - begin < head + body:
                break
            at = begin + head + body
            with memoryview(buffer) as view:
                parts = bytes(view[begin : begin + head]), bytes(view[begin + head : at])
            self._take(kind & 7, number, kind >> 3, *parts)
        del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits for an answer gets none."""
        self._transport = None
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(ChannelLost("the other process is gone"))
        self._lost()

    # ---- frames

    def _send(self, kind: int, number: int, about: int, head: bytes, body: bytes = b"") -> None:
        if self._transport is None:
            raise ChannelLost("the other process is gone")
        frame = _FRAME.pack(len(body), len(head), number, kind | about << 3)
        self._transport.writelines((frame + head, body) if body else (frame + head,))

    def _take(self, kind: int, number: int, about: int, head: bytes, body: bytes) -> None:
        if kind == _QUESTION:
            self._answering[number] = self._loop.create_task(self._answered(number, about, head, body))
        elif kind == _STOP:
            if number in self._answering:
                self._answering[number].cancel()
        elif kind == _WORD:
            self._hear(about, head)
        else:
            self._answered_here(number, kind, head)

    def _answered_here(self, number: int, kind: int, head: bytes) -> None:
        waiting = self._asked.get(number)
        if waiting is None:
            return
        if waiting.done():
            # Cancelled, and its task does not know of it yet: this is the only answer that will come.
            waiting = self._asked[number] = self._loop.create_future()
        if kind == _ANSWER:
            waiting.set_result(head)
        else:
            waiting.set_exception(AnswerFailed(head.decode("ascii", "replace")))

    async def _answered(self, number: int, about: int, head: bytes, body: bytes) -> None:
        kind = _ANSWER
        try:
            answer = await self._answer(about, head, body)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  the other end must hear of it
            kind, answer = _FAULT, type(error).__name__.encode("ascii", "replace")
        finally:
            del self._answering[number]
        if self._transport is not None:
            self._send(kind, number, 0, answer)
