"""A real listener with a scripted way in behind it, and a client that speaks bytes."""

import asyncio
import functools
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

import trustme

from mailguard.core.account import Account
from mailguard.core.envelope import Submission
from mailguard.core.reply import Reply
from mailguard.edge.clock import SystemClock
from mailguard.edge.listeners import Port, listen, split
from mailguard.edge.smtp_in import Reception, SmtpOptions, SmtpSession
from mailguard.ports import Clock
from tests.upstreams import Lines

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
OPTIONS = SmtpOptions(hostname="guard.example", trusted_networks=LOOPBACK)
NOBODY_TRUSTED = replace(OPTIONS, trusted_networks=())
TAKEN = Reply(code=250, status="2.0.0", text="Queued as 0123")
SECRET = "canary-4711"

AUTHORITY = trustme.CA()
SERVER_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
AUTHORITY.issue_cert("localhost").configure_cert(SERVER_CONTEXT)
CLIENT_CONTEXT = ssl.create_default_context()
AUTHORITY.configure_trust(CLIENT_CONTEXT)


@dataclass
class Inbox:
    """The way in, by script: remembers what came, answers `reply`, and waits for `gate` if there is one."""

    reply: Reply = TAKEN
    fault: Exception | None = None
    gate: asyncio.Event | None = None
    begun: int = 0
    submissions: list[Submission] = field(default_factory=list)

    async def accept(self, submission: Submission) -> Reply:
        self.begun += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.submissions.append(submission)
        return self.reply


class People:
    """One login, `ann`, whose password is SECRET."""

    ann = Account(login="ann", addresses=("ann@corp.example", "news-*@corp.example"))

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def authenticate(self, login: str, password: str) -> Account | None:
        self.asked.append((login, password))
        return self.ann if (login, password) == ("ann", SECRET) else None

    async def account(self, login: str) -> Account | None:
        return self.ann if login == "ann" else None

    async def members(self, address: str) -> frozenset[str]:
        return frozenset()


class Client:
    """One SMTP connection, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> bytes:
        """One whole reply; empty where the server has hung up."""
        lines = b""
        while True:
            line = await asyncio.wait_for(self.reader.readline(), 10)
            lines += line
            if line[3:4] != b"-":
                return lines

    async def ask(self, line: bytes) -> bytes:
        """Send one command, and its reply."""
        await self.send(line + b"\r\n")
        return await self.reply()

    async def codes(self, *lines: bytes) -> list[int]:
        """The reply codes of several commands, one after the other."""
        return [int((await self.ask(line))[:3]) for line in lines]

    async def mail(
        self, content: bytes = b"Subject: x\r\n\r\nHello\r\n", sender: bytes = b"ann@corp.example"
    ) -> bytes:
        """A whole message to one recipient; the reply to its end."""
        codes = await self.codes(b"MAIL FROM:<%s>" % sender, b"RCPT TO:<bob@client.example>", b"DATA")
        assert codes == [250, 250, 354]
        await self.send(content + b".\r\n")
        return await self.reply()

    async def starttls(self) -> None:
        """STARTTLS and the handshake."""
        assert (await self.ask(b"STARTTLS")).startswith(b"220 ")
        await self.writer.start_tls(CLIENT_CONTEXT, server_hostname="localhost")

    async def gone(self) -> bool:
        """Whether the server has hung up and said nothing more."""
        try:
            return await asyncio.wait_for(self.reader.read(1), 10) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()


@dataclass(frozen=True, kw_only=True)
class Server:
    """A listener on loopback and what is behind it."""

    port: int
    tls_port: int
    reception: Reception
    inbox: Inbox
    people: People
    log: Lines
    clients: list[Client] = field(default_factory=list)

    async def connect(self, *, tls: bool = False, hello: bool = True, **how: Any) -> Client:
        """A client, past the greeting and, with `hello`, past EHLO."""
        port = self.tls_port if tls else self.port
        if tls:
            how |= {"ssl": CLIENT_CONTEXT, "server_hostname": "localhost"}
        client = Client(*await asyncio.open_connection("127.0.0.1", port, **how))
        self.clients.append(client)
        assert (await client.reply()).startswith(b"220 guard.example ")
        if hello:
            assert (await client.ask(b"EHLO laptop.example")).startswith(b"250-guard.example\r\n")
        return client


@asynccontextmanager
async def serving(
    options: SmtpOptions = OPTIONS,
    *,
    tls: bool = False,
    logins: bool = True,
    clock: Clock | None = None,
    inbox: Inbox | None = None,
) -> AsyncIterator[Server]:
    """A listener that is gone afterwards, with everything that it opened."""
    inbox, people, log = inbox or Inbox(), People(), Lines()
    reception = Reception(
        options=options,
        accept=inbox.accept,
        accounts=people if logins else None,
        clock=clock or SystemClock(),
        log=log,
        tls=(lambda: SERVER_CONTEXT) if tls else None,
    )
    ports = [Port(address="127.0.0.1:0", factory=functools.partial(SmtpSession, reception))]
    if tls:
        implicit = functools.partial(SmtpSession, reception, implicit_tls=True)
        ports.append(Port(address="127.0.0.1:0", factory=implicit))
    listeners = await listen(ports)
    numbers = [split(address)[1] for address in listeners.addresses]
    server = Server(
        port=numbers[0], tls_port=numbers[-1], reception=reception, inbox=inbox, people=people, log=log
    )
    try:
        yield server
    finally:
        for client in server.clients:
            client.close()
        listeners.close()
        reception.abort()
        await asyncio.sleep(0.01)


def reset(client: Client) -> None:
    """Hang up as a crash does, and not as a program that ends."""
    sock: socket.socket = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


def named(log: Lines, name: str) -> list[dict[str, object]]:
    """The fields of every line of this name."""
    return [fields for one, fields in log.lines if one == name]


async def until(true: Any, seconds: float = 5.0) -> None:
    """Wait for something that happens soon on its own."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)
