"""An SMTP server on a real socket that behaves and misbehaves by script."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from mailguard.core.delivery import Outcome
from mailguard.core.hold import Claimed, HeldRecipient
from mailguard.edge.smtp_out import SmtpRelay, UpstreamOptions
from tests.making import message, recipient

OFFERS = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8", "DSN")
CONTENT = b"Subject: s\r\n\r\nhello\r\n"

# Steps of a script that are no replies.
RESET, SILENCE, HANG_UP = "<reset>", "<silence>", "<hang up>"


@dataclass
class Upstream:
    """`script` holds, by verb (GREETING, MESSAGE for the answer to the final dot, or a command), the steps
    to take in order; when they run out, it says yes. What came is in `commands` and `contents` (unstuffed
    by the book: only after CRLF), and what of it was answered with a no also in `refused`."""

    script: Mapping[str, Sequence[str]] = field(default_factory=dict)
    offers: Sequence[str] = OFFERS
    context: ssl.SSLContext | None = None
    tls_at_once: bool = False
    bytewise: bool = False
    after_starttls: bytes = b""
    commands: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._steps = {verb: list(steps) for verb, steps in self.script.items()}

    def verbs(self) -> list[str]:
        """What was asked, in order."""
        return [command.partition(" ")[0] for command in self.commands]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._session(reader, writer)
        self.open -= 1
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if _over(await self._step("GREETING", "220 upstream.test ESMTP", writer)):
            return
        while line := await reader.readline():
            command = line.decode("utf-8").removesuffix("\r\n")
            self.commands.append(command)
            verb = command.partition(" ")[0].upper()
            if verb == "STARTTLS" and self.context is not None and "STARTTLS" not in self._steps:
                writer.write(b"220 go ahead\r\n" + self.after_starttls)
                await writer.start_tls(self.context)
                continue
            told = await self._step(verb, self._usual(verb), writer)
            if verb == "DATA" and told.startswith("354"):
                content = await _content(reader)
                self.contents.append(content)
                told = await self._step("MESSAGE", "250 2.0.0 Queued", writer)
                if told.startswith(("4", "5")):
                    self.refused.append(content)
            if verb == "QUIT" or _over(told):
                return

    def _usual(self, verb: str) -> str:
        if verb == "EHLO":
            lines = ["upstream.test", *self.offers]
            return "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])
        return {"DATA": "354 Go on", "QUIT": "221 Bye", "AUTH": "235 Welcome"}.get(verb, "250 2.0.0 Ok")

    async def _step(self, verb: str, usual: str, writer: asyncio.StreamWriter) -> str:
        """What is said, or done instead."""
        told = steps.pop(0) if (steps := self._steps.get(verb)) else usual
        if told == SILENCE:
            await asyncio.sleep(30)
        if told == RESET:
            opened: socket.socket = writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        if told in (SILENCE, RESET, HANG_UP):
            return told
        data = told.encode() + b"\r\n"
        for chunk in [bytes([byte]) for byte in data] if self.bytewise else [data]:
            writer.write(chunk)
            await writer.drain()
            if self.bytewise:
                await asyncio.sleep(0)
        return told


def _over(told: str) -> bool:
    """Whether this ends the session."""
    return told in (SILENCE, RESET, HANG_UP) or told.startswith("421")


async def _content(reader: asyncio.StreamReader) -> bytes:
    """Everything up to CRLF.CRLF, with the dots taken out that stand behind a CRLF."""
    raw = bytearray(b"\r\n")
    while not raw.endswith(b"\r\n.\r\n"):
        raw += await reader.readuntil(b"\n")
    return bytes(raw[2:-3]).replace(b"\r\n.", b"\r\n").removeprefix(b".")


@asynccontextmanager
async def serving(upstream: Upstream) -> AsyncIterator[Upstream]:
    """The upstream on a free port of 127.0.0.1."""
    context = upstream.context if upstream.tls_at_once else None
    sessions: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            sessions.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await upstream.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**26, ssl=context)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


def options(upstream: Upstream, **changes: object) -> UpstreamOptions:
    """How to reach it, in the clear unless changed."""
    made: dict[str, object] = {
        "host": "127.0.0.1",
        "port": upstream.port,
        "hostname": "guard.corp.example",
        "tls": "none",
        # What one test's server did is no reason to wait; test_outage.py is about the pauses.
        "first_pause": timedelta(0),
        **changes,
    }
    return UpstreamOptions(**made)  # type: ignore[arg-type]


@asynccontextmanager
async def relaying(upstream: Upstream, **changes: object) -> AsyncIterator[SmtpRelay]:
    """A relay to a served upstream."""
    async with serving(upstream):
        relay = SmtpRelay(options(upstream, **changes))
        try:
            yield relay
        finally:
            await relay.close()


def claimed(*recipients: str | HeldRecipient, **changes: object) -> Claimed:
    """A message in hand for these recipients."""
    flying = [recipient(r, in_flight=True) if isinstance(r, str) else r for r in recipients]
    made = message(*(flying or [recipient("b@client.example", in_flight=True)]), **changes)
    return Claimed(message=made, content=b"")


def words(outcomes: Sequence[Outcome]) -> list[str]:
    """The answers, for short."""
    return [outcome.answer.value for outcome in outcomes]
