"""Clients that take their time: what goes on is waited for, and what only keeps a place is not."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.edge.smtp_in.parts import OPTIONS, Client, Inbox, Server, named, serving, until


async def in_data(server: Server) -> Client:
    """A client that is about to send its message."""
    client = await server.connect()
    assert await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA") == [250, 250, 354]
    return client


async def drip(client: Client, letter: bytes, seconds: float) -> bytes:
    """One letter every tenth of a second; what was said, which must have ended before the letters do."""
    replies = asyncio.create_task(client.reader.read())
    for _ in range(int(seconds * 10)):
        if replies.done():
            return replies.result()
        with contextlib.suppress(ConnectionError):
            await client.send(letter)
        await asyncio.sleep(0.1)
    raise AssertionError("it was kept for as long as it dripped")


async def test_a_silent_client_is_sent_away() -> None:
    async with serving(replace(OPTIONS, idle_timeout=timedelta(seconds=0.2))) as server:
        client = await server.connect()
        assert (await client.reply()).startswith(b"421 4.4.2 ")
        assert await client.gone()


async def test_a_silent_client_is_sent_away_in_the_middle_of_everything() -> None:
    options = replace(OPTIONS, idle_timeout=timedelta(seconds=0.2))
    async with serving(options) as server:
        client = await in_data(server)
        await client.send(b"half a li")
        assert (await client.reply()).startswith(b"421 4.4.2 ")
        client = await server.connect()
        await client.ask(b"AUTH LOGIN")
        assert (await client.reply()).startswith(b"421 4.4.2 ")
        await until(lambda: server.reception.connections == 0)


async def test_a_slow_upload_is_taken_while_it_goes_on() -> None:
    options = replace(OPTIONS, idle_timeout=timedelta(seconds=0.3), slowest_upload=10)
    async with serving(options) as server:
        client = await in_data(server)
        for _ in range(10):
            await client.send(b"some more\r\n")
            await asyncio.sleep(0.1)
        await client.send(b".\r\n")
        assert (await client.reply()).startswith(b"250 ")


async def test_an_upload_by_drops_is_not() -> None:
    options = replace(OPTIONS, idle_timeout=timedelta(seconds=0.4), slowest_upload=1000)
    async with serving(options) as server:
        client = await in_data(server)
        assert (await drip(client, b"x", 5)).startswith(b"421 4.4.2 ")


async def test_a_fast_beginning_does_not_pay_for_drops_afterwards() -> None:
    options = replace(OPTIONS, idle_timeout=timedelta(seconds=0.4), slowest_upload=1000)
    async with serving(options) as server:
        client = await in_data(server)
        await client.send(b"x" * 60_000 + b"\r\n")
        assert (await drip(client, b"x", 5)).startswith(b"421 4.4.2 ")


@pytest.mark.parametrize("opening", [b"", b"AUTH LOGIN\r\n"])
async def test_a_command_by_drops_is_no_command(opening: bytes) -> None:
    """One letter now and then keeps no session alive: the line has to come whole."""
    async with serving(replace(OPTIONS, idle_timeout=timedelta(seconds=0.5))) as server:
        client = await server.connect()
        await client.send(opening)
        said = await drip(client, b"N", 5)
        assert said.endswith(b"421 4.4.2 The session took too long, goodbye\r\n")


async def test_a_client_that_does_not_read_is_not_kept_for_what_it_sends() -> None:
    options = replace(OPTIONS, idle_timeout=timedelta(seconds=0.5), max_idle_commands=10**9)
    async with serving(options) as server:
        client = await server.connect()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        sending = asyncio.create_task(client.send(b"HELP\r\n" * 1_000_000))
        await until(lambda: len(named(server.log, "smtp_timeout")) == 1)
        sending.cancel()


async def test_an_upload_that_goes_on_may_last_longer_than_a_session() -> None:
    options = replace(OPTIONS, session_timeout=timedelta(seconds=0.3), slowest_upload=10)
    async with serving(options) as server:
        client = await in_data(server)
        for _ in range(10):
            await client.send(b"some more\r\n")
            await asyncio.sleep(0.1)
        await client.send(b".\r\n")
        assert (await client.reply()).startswith(b"250 ")


async def test_an_upload_that_can_come_to_nothing_may_not() -> None:
    options = replace(OPTIONS, session_timeout=timedelta(seconds=0.3), max_message_bytes=1000)
    async with serving(options) as server:
        client = await in_data(server)
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                await client.send(b"x" * 198 + b"\r\n")
                await asyncio.sleep(0.05)
        assert (await client.reply()).startswith(b"421 4.4.2 ")


async def test_nobody_stays_for_ever() -> None:
    options = replace(OPTIONS, session_timeout=timedelta(seconds=0.4))
    async with serving(options) as server:
        client = await server.connect()
        replies = b""
        with contextlib.suppress(ConnectionError):
            while not replies.startswith(b"421 "):
                replies = await client.ask(b"NOOP")
                await asyncio.sleep(0.05)
        assert replies.startswith(b"421 4.4.2 ")


async def test_a_slow_store_is_waited_for() -> None:
    options = replace(OPTIONS, idle_timeout=timedelta(seconds=0.1), session_timeout=timedelta(seconds=0.1))
    async with serving(options, inbox=Inbox(gate=asyncio.Event())) as server:
        client = await server.connect()
        answer = asyncio.create_task(client.mail())
        await until(lambda: server.inbox.begun == 1)
        await asyncio.sleep(0.3)
        assert server.inbox.gate is not None
        server.inbox.gate.set()
        assert (await answer).startswith(b"250 ")
