"""A proxy in front of a real SMTP server that spoils the session at one point, as a script says."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Step = tuple[str, str]
# What can be done to a client at a stage, beside saying something.
RESET, HANG_UP, SILENCE = "<reset>", "<hang up>", "<silence>"
# In front of a reply: it comes before the server's own one, behind it, or with its bytes one by one.
BEFORE, BEHIND, BYTEWISE, SLOW = "<before>", "<behind>", "<bytewise>", "<slow>"
STOPS = (RESET, HANG_UP, SILENCE)


@dataclass(kw_only=True)
class Fault:
    """What goes wrong, by stage: CONNECT, BANNER, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, BODY (after the
    first bytes of the message), DOT. Each stage has steps, taken in turn, anew on each connection; afterwards
    all is well. `offers` are what EHLO says instead of the server's, `context` is what it encrypts with."""

    steps: dict[str, Sequence[str]] = field(default_factory=dict)
    offers: Sequence[str] | None = None
    context: ssl.SSLContext | None = None
    at_once: bool = False
    # Whether the server gets a message whose answer is spoilt.
    delivers: bool = True


@dataclass
class Proxy:
    """Listens on `port`. `clear` and `commands` are what clients said without and with encryption."""

    behind: int
    fault: Fault = field(default_factory=Fault)
    port: int = 0
    connections: int = 0
    clear: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.connections += 1
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, _Stopped):
            pass
        finally:
            writer.transport.abort()


class _Stopped(Exception):
    """The fault ends the session."""


class _Session:
    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._fault = proxy.fault
        self._steps = {stage: list(steps) for stage, steps in proxy.fault.steps.items()}
        self._reader, self._writer = reader, writer
        self._encrypted = proxy.fault.at_once
        # Who refused MAIL cannot let a pipelined RCPT through.
        self._refused = False
        self._accepted = 0

    async def run(self) -> None:
        if (step := self._next("CONNECT")) is not None:
            await self._stop(step)
        self._from, self._to = await asyncio.open_connection("127.0.0.1", self._proxy.behind, limit=2**26)
        try:
            await self._say("BANNER", await self._answer())
            while line := await self._reader.readline():
                await self._command(line)
        finally:
            self._to.transport.abort()

    async def _command(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        (self._proxy.commands if self._encrypted else self._proxy.clear).append(text)
        verb = text.partition(" ")[0].upper()
        if verb == "STARTTLS":
            await self._start_tls()
        elif verb == "AUTH":
            await self._say("AUTH", b"235 2.7.0 Welcome\r\n")
        elif verb in ("RCPT", "DATA") and (self._refused or (verb == "DATA" and not self._accepted)):
            await self._send(b"503 5.5.1 Not now\r\n")
        else:
            await self._forward(verb, line)

    async def _forward(self, verb: str, line: bytes) -> None:
        step = self._next(verb)
        if verb == "MAIL":
            self._refused, self._accepted = False, 0
        if step is not None and (step in STOPS or step[0] in "345"):
            self._refused = verb == "MAIL"
            await self._stop_or_say(step)
            return
        self._to.write(line)
        answer = await self._answer()
        self._accepted += verb == "RCPT"
        if verb == "EHLO" and self._fault.offers is not None:
            lines = ["proxy.test", *self._fault.offers]
            answer = (
                "".join(f"250-{one}\r\n" for one in lines[:-1]).encode() + f"250 {lines[-1]}\r\n".encode()
            )
        await self._send_spoilt(answer, step)
        if verb == "DATA" and answer.startswith(b"354"):
            await self._message()

    async def _message(self) -> None:
        content = bytearray()
        body = self._next("BODY")
        while not content.endswith(b"\r\n.\r\n"):
            content += await self._reader.readuntil(b"\n")
            if body is not None and len(content) > 100:
                if body == SILENCE:
                    # Nothing more is read, so the client's window fills up.
                    self._reader._transport.pause_reading()  # type: ignore[attr-defined]
                await self._stop_or_say(body)
                if not body.startswith(("4", "5")):
                    raise _Stopped
                body = None
        step = self._next("DOT")
        if step is not None and step[0] in "45":
            # Refused here: the server behind never sees the end of it.
            await self._send(step.encode("utf-8", "surrogateescape") + b"\r\n")
            self._to.transport.abort()
            self._from, self._to = await asyncio.open_connection("127.0.0.1", self._proxy.behind, limit=2**26)
            await self._answer()
            if step.startswith("421"):
                raise _Stopped
            return
        if not self._fault.delivers:
            await self._stop_or_say(step or HANG_UP)
            raise _Stopped
        self._to.write(bytes(content))
        answer = await self._answer()
        if step in STOPS:
            await self._stop(str(step))
        await self._send_spoilt(answer, step)

    async def _start_tls(self) -> None:
        step = self._next("STARTTLS")
        injected = step.removeprefix(BEHIND) if step is not None and step.startswith(BEHIND) else ""
        if step is not None and not injected:
            await self._stop_or_say(step)
            return
        await self._send(b"220 2.0.0 Go ahead\r\n" + injected.encode())
        if self._fault.context is None:
            await self._send(b"this is no TLS\r\n")
            raise _Stopped
        await self._writer.start_tls(self._fault.context)
        self._encrypted = True

    async def _say(self, stage: str, answer: bytes) -> None:
        step = self._next(stage)
        if step is not None and not step.startswith(("<b", "<slow")):
            await self._stop_or_say(step)
            return
        await self._send_spoilt(answer, step)

    async def _send_spoilt(self, answer: bytes, step: str | None) -> None:
        match step:
            case None:
                await self._send(answer)
            case str() if step.startswith(BYTEWISE):
                for byte in answer:
                    await self._send(bytes([byte]))
                    await asyncio.sleep(0)
            case str() if step.startswith(SLOW):
                await asyncio.sleep(0.15)
                await self._send(answer)
            case str() if step.startswith(BEFORE):
                await self._send(step.removeprefix(BEFORE).encode() + b"\r\n" + answer)
            case str() if step.startswith(BEHIND):
                await self._send(answer + step.removeprefix(BEHIND).encode() + b"\r\n")
            case _:
                await self._stop_or_say(step)

    async def _stop_or_say(self, step: str) -> None:
        if step in STOPS:
            await self._stop(step)
        await self._send(step.encode("utf-8", "surrogateescape") + b"\r\n")
        if step.startswith("421"):
            raise _Stopped

    async def _stop(self, step: str) -> None:
        if step == SILENCE:
            await asyncio.sleep(60)
        if step == RESET:
            opened: socket.socket = self._writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Stopped

    def _next(self, stage: str) -> str | None:
        steps = self._steps.get(stage)
        step = steps.pop(0) if steps else None
        # "" stands for: this time all is well.
        return step or None

    async def _answer(self) -> bytes:
        """The server's whole reply."""
        lines = b""
        while True:
            line = await self._from.readline()
            if not line:
                raise ConnectionResetError
            lines += line
            if line[3:4] != b"-":
                return lines

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


@asynccontextmanager
async def spoiling(behind: int, fault: Fault | None = None, *, port: int = 0) -> AsyncIterator[Proxy]:
    """The proxy on a free port of 127.0.0.1, or on this one, in front of the server on port `behind`."""
    proxy = Proxy(behind=behind, fault=fault or Fault())
    sessions: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            sessions.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await proxy.serve(reader, writer)

    context = proxy.fault.context if proxy.fault.at_once else None
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=2**26, ssl=context)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
