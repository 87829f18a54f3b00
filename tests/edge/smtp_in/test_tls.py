"""STARTTLS and TLS from the first byte."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.edge.smtp_in import SmtpSession
from tests.edge.smtp_in.parts import (
    CLIENT_CONTEXT,
    NOBODY_TRUSTED,
    OPTIONS,
    SECRET,
    Client,
    named,
    serving,
    until,
)

GOOD = b"AUTH PLAIN " + b64encode(f"\0ann\0{SECRET}".encode())


async def test_after_starttls_the_server_knows_nothing_of_before() -> None:
    async with serving(tls=True) as server:
        client = await server.connect()
        await client.starttls()
        assert await client.codes(b"MAIL FROM:<>") == [503]
        assert b"STARTTLS" not in await client.ask(b"EHLO secret.example")
        assert await client.codes(b"STARTTLS") == [503]
        assert (await client.mail()).startswith(b"250 ")
        [submission] = server.inbox.submissions
        assert (submission.protocol, submission.helo) == ("ESMTPS", "secret.example")


async def test_a_login_before_starttls_is_forgotten() -> None:
    async with serving(replace(NOBODY_TRUSTED, auth_without_tls=True), tls=True) as server:
        client = await server.connect()
        assert await client.codes(GOOD) == [235]
        await client.starttls()
        assert await client.codes(b"EHLO x", b"MAIL FROM:<ann@corp.example>") == [250, 530]
        assert await client.codes(GOOD) == [235]
        assert (await client.mail()).startswith(b"250 ")
        assert server.inbox.submissions[0].protocol == "ESMTPSA"


async def test_auth_works_where_tls_is_on_from_the_first_byte() -> None:
    async with serving(NOBODY_TRUSTED, tls=True) as server:
        client = await server.connect(tls=True)
        hello = await client.ask(b"EHLO x")
        assert b"AUTH PLAIN LOGIN" in hello
        assert b"STARTTLS" not in hello
        assert await client.codes(GOOD) == [235]
        assert (await client.mail(b"x" * 70000 + b"\r\n")).startswith(b"550 ")
        assert (await client.mail((b"x" * 1000 + b"\r\n") * 2000)).startswith(b"250 ")
        assert len(server.inbox.submissions[0].content) == 1002 * 2000
        assert await client.codes(b"QUIT") == [221]
        assert await client.gone()


async def test_starttls_is_refused_where_it_makes_no_sense() -> None:
    async with serving(tls=True) as server:
        client = await server.connect()
        assert await client.codes(b"STARTTLS now", b"MAIL FROM:<>", b"STARTTLS") == [501, 250, 503]
        assert await client.codes(b"RCPT TO:<a@b.example>", b"STARTTLS", b"DATA", b".") == [
            250,
            503,
            354,
            250,
        ]
    async with serving() as server:
        client = await server.connect()
        assert b"STARTTLS" not in await client.ask(b"EHLO x")
        assert await client.codes(b"STARTTLS") == [502]


async def test_what_was_sent_behind_starttls_in_clear_is_never_carried_out() -> None:
    async with serving(tls=True) as server:
        client = await server.connect()
        await client.send(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
        assert (await client.reply()).startswith(b"451 4.7.0 ")
        assert await client.gone()
        assert len(named(server.log, "tls_injection")) == 1


async def test_commands_in_clear_instead_of_a_handshake_are_never_carried_out() -> None:
    async with serving(tls=True) as server:
        client = await server.connect()
        assert (await client.ask(b"STARTTLS")).startswith(b"220 ")
        await client.send(b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n.\r\n")
        rest = await asyncio.wait_for(client.reader.read(), 10)
        assert b"250" not in rest
        assert server.inbox.submissions == []
        await until(lambda: server.reception.connections == 0)
        assert len(named(server.log, "tls_failed")) == 1


async def shake_hands(client: Client, last_words: bytes) -> bytes:
    """The client's half of a handshake by hand, `last_words` in one packet with its end; the answer."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = CLIENT_CONTEXT.wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            await client.send(outgoing.read())
            incoming.write(await client.reader.read(65536))
    tls.write(last_words)
    await client.send(outgoing.read())
    answer = b""
    while not answer.endswith(b"354 End data with <CR><LF>.<CR><LF>\r\n"):
        incoming.write(await asyncio.wait_for(client.reader.read(65536), 10))
        with contextlib.suppress(ssl.SSLWantReadError):
            answer += tls.read(65536)
    return answer


async def test_commands_in_one_packet_with_the_end_of_the_handshake_are_carried_out() -> None:
    """They came over TLS, even if they are there before the session has heard that TLS is on."""
    async with serving(tls=True) as server:
        client = await server.connect()
        await client.ask(b"STARTTLS")
        commands = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"
        answer = await shake_hands(client, commands)
        assert answer.startswith(b"250-guard.example\r\n")


@pytest.mark.parametrize("implicit", [True, False])
async def test_handshakes_that_never_come_are_ended_and_not_counted_any_more(implicit: bool) -> None:
    options = replace(OPTIONS, tls_handshake_timeout=timedelta(seconds=0.3))
    async with serving(options, tls=True) as server:
        writers = []
        for _ in range(20):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", server.tls_port if implicit else server.port
            )
            if not implicit:
                await reader.readline()
                writer.write(b"STARTTLS\r\n")
            writers.append(writer)
        await until(lambda: server.reception.connections == 20)
        await until(lambda: server.reception.connections == 0)
        await until(lambda: len(named(server.log, "tls_failed")) == 20)
        for writer in writers:
            writer.close()
        assert await (await server.connect(tls=True)).codes(b"NOOP") == [250]


async def test_a_handshake_counts_as_a_connection() -> None:
    async with serving(replace(OPTIONS, max_connections_per_ip=1), tls=True) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.tls_port)
        await until(lambda: server.reception.connections == 1)
        with pytest.raises((OSError, AssertionError)):
            await server.connect(tls=True)
        writer.close()
        await until(lambda: server.reception.connections == 0)
        assert await (await server.connect(tls=True)).codes(b"NOOP") == [250]


async def test_a_client_without_the_right_authority_only_harms_itself() -> None:
    async with serving(tls=True) as server:
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection(
                "127.0.0.1", server.tls_port, ssl=ssl.create_default_context(), server_hostname="localhost"
            )
        assert await (await server.connect(tls=True)).codes(b"NOOP") == [250]


async def test_a_message_that_ends_with_the_connection_is_taken_all_the_same() -> None:
    async with serving(tls=True) as server:
        server.inbox.gate = asyncio.Event()
        client = await server.connect(tls=True)
        await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA")
        await client.send(b".\r\n")
        await until(lambda: server.inbox.begun == 1)
        client.writer.transport.abort()
        await until(lambda: server.reception.connections == 0)
        server.inbox.gate.set()
        await until(lambda: len(server.inbox.submissions) == 1)


async def test_a_port_with_tls_needs_a_certificate() -> None:
    async with serving() as server:
        with pytest.raises(ValueError, match="certificate"):
            SmtpSession(server.reception, implicit_tls=True)
