"""What sessions share: the library they stand on, and the end of the day."""

import asyncio
import logging
from datetime import timedelta

import aiosmtpd
import pytest
import uvloop
from aiosmtpd.smtp import SMTP

from mailguard.edge.clock import SystemClock
from mailguard.edge.smtp_in import Reception
from tests.edge.smtp_in.parts import CLIENT_CONTEXT, OPTIONS, Client, Inbox, Server, named, serving, until
from tests.upstreams import Lines

SOON = timedelta(seconds=5)


async def uploading(server: Server) -> Client:
    client = await server.connect()
    await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA")
    await client.send(b"x\r\n")
    await until(lambda: server.reception.bytes_in_flight == 3)
    return client


async def test_idle_sessions_are_sent_home_at_once() -> None:
    async with serving() as server:
        clients = [await server.connect(), await server.connect()]
        await clients[1].codes(b"MAIL FROM:<>", b"AUTH LOGIN")
        await server.reception.drain(SOON)
        for client in clients:
            assert await client.reply() == b"421 4.3.2 guard.example is shutting down\r\n"
            assert await client.gone()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert (await reader.read()).startswith(b"421 4.3.2 ")
        writer.close()


async def test_a_message_on_its_way_in_is_waited_for() -> None:
    async with serving(inbox=Inbox(gate=asyncio.Event())) as server:
        client = await uploading(server)
        drained = asyncio.create_task(server.reception.drain(SOON))
        await client.send(b"y\r\n.\r\nMAIL FROM:<>\r\n")
        await until(lambda: server.inbox.begun == 1)
        assert not drained.done()
        assert server.inbox.gate is not None
        server.inbox.gate.set()
        assert (await client.reply()).startswith(b"250 ")
        assert (await client.reply()).startswith(b"421 4.3.2 ")
        await drained
        assert server.inbox.submissions[0].content == b"x\r\ny\r\n"


async def test_a_message_that_is_refused_is_the_last_word_too() -> None:
    async with serving() as server:
        client = await uploading(server)
        drained = asyncio.create_task(server.reception.drain(SOON))
        await client.send(b"y\n.\r\n.\r\n")
        assert (await client.reply()).startswith(b"550 5.6.0 ")
        assert (await client.reply()).startswith(b"421 4.3.2 ")
        await drained


async def test_an_upload_that_does_not_end_is_cut_after_the_grace() -> None:
    async with serving() as server:
        client = await uploading(server)
        await server.reception.drain(timedelta(seconds=0.1))
        assert await client.gone()
        assert (server.reception.connections, server.reception.bytes_in_flight) == (0, 0)
        assert named(server.log, "smtp_cut") == [{"connections": 1}]


async def test_what_is_being_stored_is_stored_even_after_the_grace() -> None:
    async with serving(inbox=Inbox(gate=asyncio.Event())) as server:
        client = await uploading(server)
        await client.send(b".\r\n")
        await until(lambda: server.inbox.begun == 1)
        drained = asyncio.create_task(server.reception.drain(timedelta(seconds=0.05)))
        await asyncio.sleep(0.15)
        assert not drained.done()
        assert server.inbox.gate is not None
        server.inbox.gate.set()
        await drained
        assert len(server.inbox.submissions) == 1


async def test_a_handshake_is_not_waited_for() -> None:
    async with serving(tls=True) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.tls_port)
        await until(lambda: server.reception.connections == 1)
        await asyncio.wait_for(server.reception.drain(SOON), 1)
        writer.close()


async def test_the_same_on_uvloop() -> None:
    """The program runs on uvloop; its transports and its TLS are not those of asyncio."""

    async def talk() -> None:
        async with serving(tls=True, inbox=Inbox(gate=asyncio.Event())) as server:
            assert server.inbox.gate is not None
            server.inbox.gate.set()
            client = await server.connect()
            await client.starttls()
            assert (await client.ask(b"EHLO x")).startswith(b"250-")
            assert (await client.mail((b"x" * 900 + b"\r\n") * 1000)).startswith(b"250 ")
            client = await server.connect(tls=True)
            assert (await client.mail((b"x" * 900 + b"\r\n") * 1000)).startswith(b"250 ")
            await client.send(b"NOOP\r\n" * 500 + b"QUIT\r\n")
            assert [(await client.reply())[:3] for _ in range(501)] == [b"250"] * 500 + [b"221"]
            client = await server.connect()
            await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA")
            await client.send(b".\r\nNOOP\r\n")
            client.writer.write_eof()
            assert (await client.reader.read()).startswith(b"250 2.0.0 Queued as 0123\r\n250 2.0.0 Ok\r\n")
            server.inbox.gate.clear()
            client = await uploading(server)
            await client.send(b".\r\n")
            await until(lambda: server.inbox.begun == 4)
            client.writer.transport.abort()
            await asyncio.sleep(0.05)
            server.inbox.gate.set()
            await server.reception.drain(SOON)
            assert len(server.inbox.submissions) == 4

    await asyncio.to_thread(uvloop.run, talk())


async def test_the_library_is_the_one_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiosmtpd, "__version__", "1.5.0")
    with pytest.raises(RuntimeError, match=r"1\.5\.0"):
        Reception(options=OPTIONS, accept=Inbox().accept, accounts=None, clock=SystemClock(), log=Lines())


async def test_a_way_in_that_is_missing_is_noticed_at_the_start() -> None:
    with pytest.raises(TypeError, match="lost"):
        Reception(
            options=OPTIONS,
            accept=None,  # type: ignore[arg-type]
            accounts=None,
            clock=SystemClock(),
            log=Lines(),
        )


async def test_the_library_logs_no_commands_and_shares_nothing(caplog: pytest.LogCaptureFixture) -> None:
    shared = SMTP.command_size_limits
    shared["CANARY"] = 1
    caplog.set_level(logging.DEBUG)
    try:
        async with serving() as server:
            client = await server.connect()
            await client.ask(b"AUTH PLAIN c2VjcmV0")
            await client.ask(b"EHLO x")
            assert logging.getLogger("mail.log").level == logging.WARNING
        # Its constructor would have emptied the dictionary, and EHLO would have added to it.
        assert shared == {"CANARY": 1}
        assert "c2VjcmV0" not in caplog.text
    finally:
        shared.clear()


async def test_a_stranger_to_the_certificate_is_told_apart_from_a_fault() -> None:
    async with serving(tls=True) as server:
        assert CLIENT_CONTEXT.check_hostname
        with pytest.raises(OSError, match=r"[Hh]ostname mismatch"):
            await asyncio.open_connection(
                "127.0.0.1", server.tls_port, ssl=CLIENT_CONTEXT, server_hostname="other.example"
            )
        await until(lambda: server.reception.connections == 0)
        assert named(server.log, "smtp_fault") == []
