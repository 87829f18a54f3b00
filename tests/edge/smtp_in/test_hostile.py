"""Clients that mean harm, or that break: each costs little, and none harms another."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core.reply import Reply
from tests.edge.smtp_in.parts import (
    NOBODY_TRUSTED,
    OPTIONS,
    SECRET,
    Client,
    Inbox,
    Server,
    named,
    reset,
    serving,
    until,
)

INCIDENT = re.compile(rb"451 4\.3\.0 Internal error, try again later \(incident ([0-9a-f]{8})\)\r\n")


async def in_data(server: Server) -> Client:
    """A client that is about to send its message."""
    client = await server.connect()
    assert await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA") == [250, 250, 354]
    return client


# ---- addresses

SMUGGLED = [
    b"=?utf-8?q?a=40evil.example?=@b.example",
    b"=?utf-8?q?c=3e=0d=0aRCPT_TO:=3cevil=40x.example?=@b.example",
    b'"=?utf-8?q?x?="@b.example',
    b"@evil.example:a@b.example",
    b"a(boss@evil.example)@b.example",
    b"a@b.example\x00",
    b"a\x00@b.example",
    b"a@b.example.",
    b"a" * 65 + b"@b.example",
    b"a@" + b"b" * 60 + (b"." + b"b" * 60) * 4,
    b"a@[127.0.0.1",
    b"a@[1.2.3.999]",
    b"a\tb@c.example",
    b"a@b.example> <evil@x.example",
    b"a@b.example>, <evil@x.example",
]


@pytest.mark.parametrize("address", SMUGGLED)
async def test_an_address_that_could_be_read_in_two_ways_is_refused(address: bytes) -> None:
    async with serving() as server:
        client = await server.connect()
        assert (await client.ask(b"MAIL FROM:<%s>" % address))[:3] in (b"500", b"501", b"553")
        await client.ask(b"MAIL FROM:<>")
        assert (await client.ask(b"RCPT TO:<%s>" % address))[:3] in (b"500", b"501", b"553")
        assert await client.codes(b"DATA") == [554]


@pytest.mark.parametrize("line", [b"RCPT TO:<a@b.example>\rRSET\r\n", b"NOOP\x00\r\n", b"\r\n", b"\xff\r\n"])
async def test_a_line_that_is_no_command(line: bytes) -> None:
    async with serving() as server:
        client = await server.connect()
        await client.send(line)
        assert (await client.reply()).startswith(b"500 5.5.2 ")
        assert await client.codes(b"NOOP") == [250]


@pytest.mark.parametrize("cut", [0, 13, 14])
async def test_a_command_that_ends_with_a_lone_lf_is_the_last_one(cut: int) -> None:
    """It may be half of an address that a program has let through, and what follows the other half."""
    async with serving() as server:
        client = await server.connect()
        await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>")
        line = b"RCPT TO:<x@y\nRCPT TO:<evil@x.example>\r\nDATA\r\n.\r\n"
        await client.send(line[:cut])
        await asyncio.sleep(0.01)
        await client.send(line[cut:])
        assert (await client.reply()).startswith(b"500 5.5.2 ")
        assert await client.gone()
        assert server.inbox.submissions == []


# ---- smuggling


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\x00.\r\n"])
async def test_a_message_cannot_carry_a_second_one(end: bytes) -> None:
    async with serving() as server:
        client = await in_data(server)
        await client.send(
            b"x" + end + b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<a@b.example>\r\nDATA\r\ny\r\n.\r\n"
        )
        assert (await client.reply()).startswith(b"550 5.6.0 ")
        assert await client.codes(b"NOOP") == [250]
        assert server.inbox.submissions == []


async def test_lone_newlines_can_be_mended_instead() -> None:
    async with serving(replace(OPTIONS, bare_newline="normalize")) as server:
        client = await in_data(server)
        await client.send(b"one\ntwo\rthree\r\n.\r\n")
        assert (await client.reply()).startswith(b"250 ")
        assert server.inbox.submissions[0].content == b"one\r\ntwo\r\nthree\r\n"


async def test_bdat_is_refused_and_its_chunk_is_not_read_as_commands() -> None:
    async with serving() as server:
        client = await server.connect()
        await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>")
        await client.send(b"BDAT 30 LAST\r\nRSET\r\nMAIL FROM:<evil@x.example>\r\n")
        assert (await client.reply()).startswith(b"502 ")
        assert await client.gone()


async def test_a_browser_is_sent_away() -> None:
    async with serving() as server:
        client = await server.connect(hello=False)
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<>\r\n")
        assert (await client.reply()).startswith(b"421 ")
        assert await client.gone()


# ---- floods


async def test_an_endless_line_is_not_kept() -> None:
    async with serving() as server:
        client = await server.connect()
        for _ in range(100):
            await client.send(b"x" * 65536)
        await client.send(b"\r\nNOOP\r\n")
        assert await client.reply() == b"500 5.5.6 A command has at most 12288 octets\r\n"
        assert await client.reply() == b"250 2.0.0 Ok\r\n"


@pytest.mark.parametrize(
    ("line", "limit"), [(b"NOOP", 1000), (b"RSET", 1000), (b"VRFY x", 1000), (b"JUNK", 50)]
)
async def test_commands_without_a_message_come_to_an_end(line: bytes, limit: int) -> None:
    async with serving() as server:
        client = await server.connect()
        await client.send((line + b"\r\n") * (limit + 100))
        replies = [await client.reply() for _ in range(limit + 2)]
        assert {reply[:3] for reply in replies[:limit]} == {replies[0][:3]}
        assert replies[-1].startswith(b"421 4.7.0 ")
        assert await client.gone()


async def test_a_message_makes_up_for_them() -> None:
    async with serving(replace(OPTIONS, max_idle_commands=3, max_errors=3)) as server:
        client = await server.connect()
        for _ in range(3):
            assert await client.codes(b"NOOP", b"NOOP", b"JUNK", b"JUNK") == [250, 250, 500, 500]
            assert (await client.mail()).startswith(b"250 ")


async def test_too_many_connections() -> None:
    async with serving(replace(OPTIONS, max_connections=3)) as server:
        clients = [await server.connect() for _ in range(3)]
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            assert (await reader.read()).startswith(b"421 4.7.0 Too many connections")
            writer.close()
        assert [line["count"] for line in named(server.log, "connections_refused")] == [1]
        clients[0].close()
        await until(lambda: server.reception.connections == 2)
        assert await (await server.connect()).codes(b"NOOP") == [250]


async def test_too_many_connections_from_one_address_leave_room_for_others() -> None:
    async with serving(replace(OPTIONS, max_connections_per_ip=2)) as server:
        for _ in range(2):
            await server.connect()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert b"from your address" in await reader.read()
        writer.close()
        assert await (await server.connect(local_addr=("127.0.0.2", 0))).codes(b"NOOP") == [250]


async def stranger(server: Server, address: str) -> Client:
    return await server.connect(local_addr=(address, 0))


async def test_who_only_sits_there_makes_room_for_somebody_new() -> None:
    options = replace(NOBODY_TRUSTED, max_connections=3, crowded_timeout=timedelta(seconds=0.3))
    async with serving(options) as server:
        crowd = [await stranger(server, "127.0.0.2") for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert (await reader.read()).startswith(b"421 4.7.0 Too many connections")
        writer.close()
        await asyncio.sleep(0.4)
        client = await server.connect()
        assert await client.codes(b"AUTH PLAIN " + b64encode(f"\0ann\0{SECRET}".encode())) == [235]
        assert await crowd[0].reply() == b"421 4.7.0 Too many connections, try again later\r\n"
        assert await crowd[0].gone()
        await asyncio.sleep(0.4)
        for _ in range(2):
            await stranger(server, "127.0.0.3")
        # Who has logged in is no stranger any more.
        assert (await client.mail()).startswith(b"250 ")
        assert server.reception.connections == 3


async def test_who_was_here_before_need_not_wait_for_room() -> None:
    async with serving(replace(NOBODY_TRUSTED, max_connections=3), tls=True) as server:
        login = b"AUTH PLAIN " + b64encode(f"\0ann\0{SECRET}".encode())
        client = await server.connect(tls=True)
        assert await client.codes(login) == [235]
        client.close()
        await until(lambda: server.reception.connections == 0)
        crowd = [await server.connect(tls=True, local_addr=("127.0.0.2", 0)) for _ in range(3)]
        assert await (await server.connect(tls=True)).codes(login) == [235]
        assert server.reception.connections == 3
        assert await crowd[0].gone()


async def test_messages_in_flight_are_bounded() -> None:
    async with serving(replace(OPTIONS, max_bytes_in_flight=100_000)) as server:
        first, second = await in_data(server), await in_data(server)
        line = b"z" * 998 + b"\r\n"
        await first.send(line * 90)
        await until(lambda: server.reception.bytes_in_flight == 90_000)
        # In two parts: one that comes whole in one piece is taken, for nothing is gained by refusing it then.
        await second.send(line * 45)
        await until(lambda: server.reception.bytes_in_flight != 90_000)
        await second.send(line * 45 + b".\r\n")
        assert (await second.reply()).startswith(b"452 4.3.1 ")
        await until(lambda: server.reception.bytes_in_flight == 90_000)
        await first.send(line * 10)
        await until(lambda: server.reception.bytes_in_flight == 100_000)
        assert await (await server.connect()).codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA") == [
            250,
            250,
            452,
        ]
        await first.send(b".\r\n")
        assert (await first.reply()).startswith(b"250 ")
        assert server.reception.bytes_in_flight == 0


async def test_half_a_message_is_forgotten_with_its_connection() -> None:
    async with serving() as server:
        client = await in_data(server)
        await client.send(b"x\r\n" * 1000)
        await until(lambda: server.reception.bytes_in_flight == 3000)
        client.close()
        await until(lambda: server.reception.connections == 0)
        assert server.reception.bytes_in_flight == 0
        assert server.inbox.begun == 0


# ---- hanging up


def leave(client: Client) -> None:
    client.close()


def half_close(client: Client) -> None:
    client.writer.write_eof()


@pytest.mark.parametrize("depart", [leave, half_close, reset])
async def test_a_client_that_goes_never_stops_its_message_from_being_stored(
    depart: Callable[[Client], None],
) -> None:
    async with serving(inbox=Inbox(gate=asyncio.Event())) as server:
        client = await in_data(server)
        await client.send(b"x\r\n.\r\n")
        await until(lambda: server.inbox.begun == 1)
        depart(client)
        await asyncio.sleep(0.05)
        assert server.inbox.gate is not None
        server.inbox.gate.set()
        await until(lambda: len(server.inbox.submissions) == 1)
        await until(lambda: server.reception.connections == 0)
        assert (await (await server.connect()).mail()).startswith(b"250 ")


async def test_what_was_said_before_the_end_is_still_answered() -> None:
    async with serving() as server:
        client = await in_data(server)
        await client.send(b"x\r\n.\r\nNOOP\r\n")
        client.writer.write_eof()
        assert await client.reader.read() == b"250 2.0.0 Queued as 0123\r\n250 2.0.0 Ok\r\n"
        assert len(server.inbox.submissions) == 1


async def test_half_a_message_is_none() -> None:
    async with serving() as server:
        client = await in_data(server)
        await client.send(b"x\r\n.\r")
        client.writer.write_eof()
        assert await client.reader.read() == b""
        assert server.inbox.begun == 0


# ---- faults of ours


async def test_a_fault_of_ours_is_temporary_and_tells_nothing() -> None:
    async with serving(inbox=Inbox(fault=RuntimeError("database is locked: /var/lib/x"))) as server:
        client = await server.connect()
        found = INCIDENT.fullmatch(await client.mail())
        assert found
        [line] = named(server.log, "smtp_fault")
        assert (line["incident"], line["error"], line["peer"]) == (
            found[1].decode(),
            "RuntimeError",
            "127.0.0.1",
        )
        assert "parts.py:" in str(line["where"])
        assert "/var/lib/x" not in repr(server.log.lines)
        server.inbox.fault = None
        assert (await client.mail()).startswith(b"250 ")


async def test_a_fault_in_the_middle_of_a_message_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the rest of the message would be read as commands."""

    def fail(*_: object) -> bool:
        raise MemoryError

    async with serving() as server:
        client = await in_data(server)
        monkeypatch.setattr("mailguard.edge.smtp_in.data.Content.feed", fail)
        await client.send(b"x\r\nMAIL FROM:<evil@x.example>\r\n")
        assert INCIDENT.fullmatch(await client.reply())
        assert await client.gone()


async def test_a_fault_in_one_command_leaves_the_next_ones_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a secret")

    async with serving() as server:
        client = await server.connect()
        monkeypatch.setattr("mailguard.edge.smtp_in.session.parse_mail", fail)
        await client.send(b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nNOOP\r\n")
        assert INCIDENT.fullmatch(await client.reply())
        assert [(await client.reply())[:3] for _ in range(2)] == [b"503", b"250"]
        assert "a secret" not in repr(server.log.lines)


async def test_the_system_says_why() -> None:
    async with serving(inbox=Inbox(fault=OSError(28, "No space left on device"))) as server:
        client = await server.connect()
        assert (await client.mail()).startswith(b"451 ")
        assert named(server.log, "smtp_fault")[0]["reason"] == "No space left on device"


async def test_one_slow_message_does_not_hold_up_another_client() -> None:
    async with serving(
        inbox=Inbox(gate=asyncio.Event(), reply=Reply(code=250, status="", text="x"))
    ) as server:
        slow = await in_data(server)
        await slow.send(b".\r\n")
        await until(lambda: server.inbox.begun == 1)
        assert await (await server.connect()).codes(b"NOOP", b"MAIL FROM:<>") == [250, 250]
        await slow.send(b"NOOP\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow.reader.readline(), 0.1)
