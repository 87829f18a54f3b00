"""More than fits: what nobody reads is not piled up, and a large message costs little but its size."""

import asyncio
import socket
import time
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mailguard.edge.smtp_in.connection import HIGH_WATER
from tests.edge.smtp_in.parts import OPTIONS, Client, Inbox, Server, serving, until

TALKATIVE = replace(OPTIONS, max_idle_commands=10**9)
# More than fits into what lies between client and session, once the socket buffers are small.
MUCH = 2 << 20


async def narrow(server: Server) -> tuple[Client, Any]:
    """A client and its session, with little room in the sockets between them."""
    client = await server.connect()
    [session] = server.reception._sessions
    for transport in (client.writer.transport, session.transport):  # type: ignore[attr-defined]
        for side in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, side, 65536)
    return client, session


async def test_a_client_that_does_not_read_its_replies_gets_no_more_of_them_until_it_does() -> None:
    async with serving(TALKATIVE) as server:
        client, session = await narrow(server)
        one = await client.ask(b"HELP")
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        count = MUCH // len(b"HELP\r\n")
        sending = asyncio.create_task(client.send(b"HELP\r\n" * count))
        done, _ = await asyncio.wait([sending], timeout=0.5)
        assert not done, "the server has read on"
        assert session.transport.get_write_buffer_size() < 16 * HIGH_WATER
        assert len(session._buffer) < 4 * HIGH_WATER
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]
        replies = await asyncio.wait_for(client.reader.readexactly(count * len(one)), 30)
        assert replies == one * count
        await sending


async def test_what_comes_while_a_message_is_stored_waits_in_the_network() -> None:
    async with serving(TALKATIVE, inbox=Inbox(gate=asyncio.Event())) as server:
        client, session = await narrow(server)
        await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA")
        await client.send(b".\r\n")
        await until(lambda: server.inbox.begun == 1)
        count = MUCH // len(b"NOOP\r\n")
        sending = asyncio.create_task(client.send(b"NOOP\r\n" * count))
        done, _ = await asyncio.wait([sending], timeout=0.5)
        assert not done, "the server has read on"
        assert len(session._buffer) < 4 * HIGH_WATER
        assert server.inbox.gate is not None
        server.inbox.gate.set()
        assert (await client.reply()).startswith(b"250 2.0.0 Queued")
        ok = b"250 2.0.0 Ok\r\n"
        assert await asyncio.wait_for(client.reader.readexactly(count * len(ok)), 30) == ok * count
        await sending


async def test_a_client_that_is_sent_away_while_it_pours_can_still_read_why() -> None:
    async with serving(replace(OPTIONS, session_timeout=timedelta(seconds=0.2)), inbox=Inbox()) as server:
        client = await server.connect()
        sending = asyncio.create_task(client.send(b"AUTH LOGIN\r\n" + b"x\r\n" * 1_000_000))
        replies = await client.reader.read(100_000)
        assert b"421 4." in replies
        sending.cancel()


async def test_a_flood_of_empty_lines_costs_little_and_holds_nobody_up() -> None:
    async with serving(replace(OPTIONS, max_message_bytes=40 << 20)) as server:
        flood, other = await server.connect(), await server.connect()
        await flood.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA")
        piece, slowest = b"\r\n" * 32768, 0.0
        tracemalloc.start()
        try:
            for _ in range((30 << 20) // len(piece)):
                await flood.send(piece)
                # Of the loop's own work, which other work on the machine does not add to.
                started = time.thread_time()
                await other.ask(b"NOOP")
                slowest = max(slowest, time.thread_time() - started)
            await flood.send(b".\r\n")
            assert (await flood.reply()).startswith(b"250 ")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert server.inbox.submissions[0].content == b"\r\n" * (15 << 20)
        assert peak < 40 << 20
        assert slowest < 0.2
