"""The target of the fuzzer: real listeners, one session for each stream, and what must hold afterwards."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from mailguard.core.envelope import Submission
from mailguard.core.reply import Reply
from tests.edge.smtp_in.parts import NOBODY_TRUSTED, OPTIONS, TAKEN, Inbox, Server, serving
from tests.fuzz.oracle import Limits, Oracle, Taken

SMALL = replace(
    OPTIONS,
    max_message_bytes=3000,
    max_recipients=3,
    max_errors=12,
    auth_delay=timedelta(0),
    max_auth_failures=3,
)
SECONDS = 10.0


@dataclass
class Fickle(Inbox):
    """A way in that takes, refuses or fails as the message says."""

    async def accept(self, submission: Submission) -> Reply:
        # The answer comes a moment later, as it does when something is written to a disk.
        await asyncio.sleep(0)
        if b"FAULT" in submission.content:
            raise RuntimeError("database is locked")
        if b"REFUSE" in submission.content:
            return Reply(code=550, status="5.7.1", text="Refused")
        self.submissions.append(submission)
        return TAKEN


@dataclass
class Target:
    """Servers of different minds; `run` has one session with one of them."""

    servers: list[tuple[Server, Limits]] = field(default_factory=list)
    unhandled: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, which: int, pieces: list[bytes], *, reset: bool = False) -> None:
        """One session. Raises AssertionError where it was not as it must be; with `reset` the client does
        not wait for its answers, and only what is left of the session is looked at."""
        server, limits = self.servers[which % len(self.servers)]
        server.inbox.submissions.clear()
        server.log.lines.clear()
        server.reception.guessing = type(server.reception.guessing)(
            server.reception.options, server.reception.clock.monotonic
        )
        async with asyncio.timeout(SECONDS):
            heard = await talk(server, pieces, reset=reset)
            while server.reception.connections or server.reception._taking:
                await asyncio.sleep(0)
        assert server.reception.bytes_in_flight == 0
        assert not self.unhandled, self.unhandled
        faults = [fields for name, fields in server.log.lines if name == "smtp_fault"]
        assert all(fault["error"] == "RuntimeError" for fault in faults), faults
        if heard is None:
            return
        oracle = Oracle(limits)
        # What follows the last word in clear is a handshake, or the alert that there is none.
        head, ready, _ = heard.partition(b"220 2.0.0 Ready to start TLS\r\n")
        oracle.check(b"".join(pieces), head + ready)
        assert len(faults) == oracle.faults
        assert len(server.inbox.submissions) == len(oracle.taken)
        for submission, taken in zip(server.inbox.submissions, oracle.taken, strict=True):
            compare(submission, taken)


def compare(submission: Submission, taken: Taken) -> None:
    """What was stored is what the client has said, byte for byte."""
    assert submission.content == taken.content
    envelope = submission.envelope
    assert re.match(
        rb"MAIL +FROM: *<" + re.escape(envelope.sender.encode()) + rb">", taken.mail, re.IGNORECASE
    )
    assert len(envelope.recipients) == len(taken.rcpt)
    for recipient, line in zip(envelope.recipients, taken.rcpt, strict=True):
        assert re.match(rb"RCPT +TO: *<" + re.escape(recipient.address.encode()) + rb">", line, re.IGNORECASE)


async def talk(server: Server, pieces: list[bytes], *, reset: bool) -> bytes | None:
    """Say all of it and then no more; all that is answered, None where the client did not wait for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with contextlib.suppress(OSError):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            if reset:
                writer.transport.abort()
                return None
            writer.write_eof()
        return await heard(reader)
    finally:
        writer.transport.abort()


async def heard(reader: asyncio.StreamReader) -> bytes | None:
    """Everything up to the server's end; None where a reset took some of it away."""
    said = b""
    try:
        while more := await reader.read(65536):
            said += more
    except ConnectionError:
        return None
    return said


@contextlib.asynccontextmanager
async def targets() -> AsyncIterator[Target]:
    """Four servers: trusting, mending newlines, strict, and with a certificate."""
    target = Target()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: target.unhandled.append(context))
    strict = replace(SMALL, trusted_networks=NOBODY_TRUSTED.trusted_networks)
    kinds = [
        (SMALL, False),
        (replace(SMALL, bare_newline="normalize"), False),
        (strict, False),
        (SMALL, True),
    ]
    async with contextlib.AsyncExitStack() as stack:
        for options, tls in kinds:
            server = await stack.enter_async_context(serving(options, tls=tls, inbox=Fickle()))
            limits = Limits(max_bytes=3000, normalize=options.bare_newline == "normalize")
            target.servers.append((server, limits))
        yield target
