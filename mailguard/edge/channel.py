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

# A frame that says it is larger is none: the other end is not what it was.
_LARGEST = 1 << 31
# The answering had not begun when the question was taken back.
NOT_BEGUN = "NotBegun"

Answerer = Callable[[int, bytes, bytes], Awaitable[bytes]]
Hearer = Callable[[int, bytes], None]


class ChannelLost(ConnectionError):
    """The other process is gone; what became of what it had in hand is unknown."""


class NotSent(ChannelLost):
    """It was gone before: it has heard nothing of this."""


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
    word; `fault` is told of an error of either; `lost` is called once, when the other end is gone."""

    _transport: asyncio.Transport | None = None

    def __init__(
        self,
        *,
        answer: Answerer,
        hear: Hearer,
        fault: Callable[[Exception], None],
        lost: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer = answer
        self._hear = hear
        self._fault = fault
        self._lost = lost
        self._buffer = bytearray()
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        # What has not begun is never begun where it is cancelled, and would tell nobody.
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._begun: set[int] = set()

    # ---- what it is for

    async def ask(self, about: int, head: bytes, body: bytes = b"") -> bytes:
        """The answer. Raises NotSent, ChannelLost, AnswerFailed. Who is cancelled does not wait until the
        other end has stopped."""
        number, waiting = self._question(about, head, body)
        try:
            return await waiting
        except asyncio.CancelledError:
            self._stop(number)
            raise
        finally:
            del self._asked[number]

    async def ask_or_stop(self, about: int, head: bytes, body: bytes = b"") -> bytes:
        """The same; but who is cancelled waits, and learns from Stopped how it ended there. Not to be used
        within a timeout of asyncio, which knows its own cancel by the class."""
        number, waiting = self._question(about, head, body)
        try:
            return await waiting
        except asyncio.CancelledError as error:
            raise Stopped(await self._stopped(number)) from error
        finally:
            del self._asked[number]

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
            if body + head > _LARGEST:
                raise ValueError("what comes over the channel is no frame")
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

    def _question(self, about: int, head: bytes, body: bytes) -> "tuple[int, asyncio.Future[bytes]]":
        number = next(self._numbers) & 0xFFFFFFF
        self._send(_QUESTION, number, about, head, body)
        waiting = self._asked[number] = self._loop.create_future()
        return number, waiting

    def _stop(self, number: int) -> None:
        if self._transport is not None:
            self._send(_STOP, number, 0, b"")

    async def _stopped(self, number: int) -> str:
        waiting = self._asked[number]
        if waiting.cancelled():
            if self._transport is None:
                return ChannelLost.__name__
            waiting = self._asked[number] = self._loop.create_future()
            self._stop(number)
        try:
            await waiting
        except AnswerFailed as failed:
            return str(failed)
        except ChannelLost:
            return ChannelLost.__name__
        return ""

    def _send(self, kind: int, number: int, about: int, head: bytes, body: bytes = b"") -> None:
        if self._transport is None:
            raise NotSent("the other process is gone")
        frame = _FRAME.pack(len(body), len(head), number, kind | about << 3)
        self._transport.writelines((frame + head, body) if body else (frame + head,))

    def _take(self, kind: int, number: int, about: int, head: bytes, body: bytes) -> None:
        if kind == _QUESTION:
            self._answering[number] = self._loop.create_task(self._answered(number, about, head, body))
        elif kind == _STOP:
            self._taken_back(number)
        elif kind == _WORD:
            try:
                self._hear(about, head)
            except Exception as error:  # noqa: BLE001  one word that makes no sense is not the end of all
                self._fault(error)
        else:
            self._answered_here(number, kind, head)

    def _taken_back(self, number: int) -> None:
        task = self._answering.get(number)
        if task is None:
            return
        task.cancel()
        if number not in self._begun:
            del self._answering[number]
            self._send(_FAULT, number, 0, NOT_BEGUN.encode())

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
        self._begun.add(number)
        kind = _ANSWER
        try:
            answer = await self._answer(about, head, body)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  the other end must hear of it
            kind, answer = _FAULT, type(error).__name__.encode("ascii", "replace")
            if isinstance(error, Exception):
                self._fault(error)
        finally:
            self._begun.discard(number)
            del self._answering[number]
        if self._transport is not None:
            self._send(kind, number, 0, answer)
