"""What others would make of the same load: receivers that judge nothing, on the guard's own store.

    python -m tests.benchmarks.peers aiosmtpd|protocol STATE_DIR PORT

`aiosmtpd` is the library as it comes. `protocol` is the least that can be called an SMTP server: no TLS, no
login, no limits, no addresses looked at; it shows what Python and the disk would allow. Both run on uvloop,
answer when the message is on the disk, and end with SIGTERM.
"""

import argparse
import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import uvloop
from aiosmtpd.smtp import SMTP

from mailguard.core.identity import from_random
from mailguard.edge import oplog
from mailguard.edge.store import Database, SqliteStore
from tests.benchmarks.fill import held

Store = Callable[[str, list[str], bytes], Awaitable[None]]


class Bare(asyncio.Protocol):
    """One connection; commands are told by their first four letters."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._buffer = bytearray()
        self._sender = ""
        self._recipients: list[str] = []
        self._content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 peer ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n.\r\n" if self._content else b"\r\n")) >= 0:
            taken = bytes(self._buffer[:end])
            del self._buffer[: end + (5 if self._content else 2)]
            if self._content:
                self._content = False
                asyncio.get_running_loop().create_task(self._take(taken + b"\r\n"))
            else:
                self._obey(taken)

    async def _take(self, content: bytes) -> None:
        await self._store(self._sender, self._recipients, content)
        self._transport.write(b"250 2.0.0 Ok\r\n")

    def _obey(self, line: bytes) -> None:
        verb = line[:4].upper()
        address = line.partition(b"<")[2].partition(b">")[0].decode("ascii", "replace")
        if verb == b"MAIL":
            self._sender, self._recipients = address, []
        elif verb == b"RCPT":
            self._recipients.append(address)
        elif verb == b"DATA":
            self._content = True
        self._transport.write(b"354 Go on\r\n" if self._content else b"250 2.0.0 Ok\r\n")
        if verb == b"QUIT":
            self._transport.close()


class Handler:
    """aiosmtpd's way to hand a message over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Store it, and only then say yes."""
        await self._store(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        return "250 2.0.0 Ok"


async def serve(kind: str, state_dir: Path, port: int) -> None:
    """Until SIGTERM."""
    loop, stop, ids = asyncio.get_running_loop(), asyncio.Event(), iter(range(1 << 60))
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    state_dir.mkdir(exist_ok=True)
    log = oplog.configure(oplog.LogFormat.TEXT, "error")
    database = await Database.open(state_dir / "queue.db", log=log)
    store = SqliteStore(database)

    async def put(sender: str, recipients: list[str], content: bytes) -> None:
        now = datetime.now(UTC)
        identity = from_random(next(ids).to_bytes(8, "big"))
        await store.add(held(identity, sender, recipients[0], content, now, now + timedelta(hours=1)))

    def session() -> asyncio.Protocol:
        return Bare(put) if kind == "protocol" else SMTP(Handler(put), hostname="peer", enable_SMTPUTF8=True)

    server = await loop.create_server(session, "127.0.0.1", port, backlog=500)
    print("ready", flush=True)
    await stop.wait()
    server.close()
    await store.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="Receivers that judge nothing, on the guard's own store.")
    parser.add_argument("kind", choices=("aiosmtpd", "protocol"))
    parser.add_argument("state_dir", type=Path)
    parser.add_argument("port", type=int)
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(chosen.kind, chosen.state_dir, chosen.port))


if __name__ == "__main__":
    main()
