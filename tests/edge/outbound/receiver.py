"""A web service on loopback that takes what it is sent, or fails by script."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


def answer(status: int, *fields: str, body: bytes = b"") -> bytes:
    """An answer with this status."""
    lines = [f"HTTP/1.1 {status} x", *fields, f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came in, whole."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        """As the specification's own words have it: HMAC-SHA256 over `id.timestamp.body`, in base64."""
        told = [self.headers["webhook-id"], self.headers["webhook-timestamp"], self.body.decode()]
        key = base64.b64decode(secret.split("_", 1)[1])
        digest = hmac.digest(key, ".".join(told).encode(), hashlib.sha256)
        signatures = self.headers["webhook-signature"].split(" ")
        return f"v1,{base64.b64encode(digest).decode()}" in signatures


@dataclass(kw_only=True)
class Receiver:
    """`script` is what the next requests get: bytes as they are, "hang" for silence, "hang up" for an end;
    what comes after is taken. `came` is rung for each."""

    port: int = 0
    script: list[bytes | str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self) -> None:
        """Listen; again on the same port after a `stop`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody is there any more."""
        assert self._server
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await self._server.wait_closed()

    async def wait_for(self, count: int, timeout: float = 20) -> list[Request]:
        """The first requests, when there are so many."""
        async with asyncio.timeout(timeout):
            while len(self.requests) < count:
                self.came.clear()
                await self.came.wait()
        return self.requests[:count]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while request := await _read(reader):
                self.requests.append(request)
                self.came.set()
                step = self.script.pop(0) if self.script else TAKEN
                if step == "hang":
                    await asyncio.Event().wait()
                if step == "hang up":
                    return
                if step == "endless":
                    await _endless(writer)
                    return
                writer.write(step if isinstance(step, bytes) else b"")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(line=line, headers=headers, body=body)


@asynccontextmanager
async def receiving(*script: bytes | str) -> AsyncIterator[Receiver]:
    """One that listens while the context lasts."""
    receiver = Receiver(script=list(script))
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


def ids(requests: Iterable[Request]) -> list[str]:
    """By what a receiver knows a piece of news again."""
    return [one.headers["webhook-id"] for one in requests]
