"""Large messages wait for one another, and small ones for nobody."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from mailguard.edge.smtp_in.budget import LARGE_SHARE, SMALL, Budget
from tests.edge.smtp_in.parts import OPTIONS, Client, Inbox, Server, serving, until

LINE = b"z" * 998 + b"\r\n"
LARGE = LINE * 3000
# Room for one of them, and not for two.
ONE = replace(OPTIONS, max_message_bytes=4_000_000, max_bytes_in_flight=6_000_000)


class Uploader:
    """Notes when it is told to go on."""

    def __init__(self) -> None:
        self.told = 0

    def go_on(self) -> None:
        self.told += 1


def test_room_goes_to_those_who_came_first() -> None:
    budget = Budget(int(100 / LARGE_SHARE))
    one, two, three, four = (Uploader() for _ in range(4))
    assert budget.ask(one, 60)
    assert budget.ask(one, 60)
    assert not budget.ask(two, 50)
    # Behind one who waits, also what would fit waits: else he would wait for ever.
    assert not budget.ask(three, 10)
    assert not budget.ask(four, 10)
    budget.give_back(four)
    budget.give_back(one)
    budget.give_back(one)
    assert (one.told, two.told, three.told, four.told) == (0, 1, 1, 0)


def test_what_is_larger_than_the_room_has_it_alone() -> None:
    budget = Budget(100)
    one, two = Uploader(), Uploader()
    assert budget.ask(one, 1000)
    assert not budget.ask(two, 1)
    budget.give_back(one)
    assert two.told == 1


async def uploading(server: Server, content: bytes = LARGE) -> tuple[Client, "asyncio.Task[None]"]:
    """A client that sends a message, but for its end."""
    client = await server.connect()
    assert await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA") == [250, 250, 354]
    return client, asyncio.create_task(client.send(content))


async def test_one_large_message_after_the_other_comes_in() -> None:
    async with serving(ONE) as server:
        first, sending = await uploading(server)
        await sending
        clients = [await uploading(server) for _ in range(3)]
        await until(lambda: sum(one._held_up is not None for one in server.reception._sessions) == 3)  # type: ignore[attr-defined]
        # Nobody is read any further, and nobody is told to go away.
        held = server.reception.bytes_in_flight
        await asyncio.sleep(0.2)
        assert server.reception.bytes_in_flight == held < len(LARGE) + 3 * 4 * SMALL
        assert (await (await server.connect()).mail()).startswith(b"250 ")
        for client, whole in [(first, sending), *clients]:
            await asyncio.wait_for(whole, 10)
            await client.send(b".\r\n")
            assert (await client.reply()).startswith(b"250 ")
        assert [len(one.content) for one in server.inbox.submissions if len(one.content) > SMALL] == [
            len(LARGE)
        ] * 4
        await until(lambda: server.reception.bytes_in_flight == 0)


async def test_the_room_is_there_again_when_a_client_hangs_up() -> None:
    async with serving(ONE) as server:
        first, sending = await uploading(server)
        await sending
        second, waiting = await uploading(server)
        await until(lambda: server.reception.bytes_in_flight > len(LARGE) + SMALL)
        first.close()
        await asyncio.wait_for(waiting, 10)
        await second.send(b".\r\n")
        assert (await second.reply()).startswith(b"250 ")


async def test_the_room_is_taken_until_the_message_is_stored() -> None:
    async with serving(ONE, inbox=Inbox(gate=asyncio.Event())) as server:
        first, sending = await uploading(server)
        await sending
        await first.send(b".\r\n")
        await until(lambda: server.inbox.begun == 1)
        first.close()
        second, waiting = await uploading(server)
        await until(lambda: server.reception.bytes_in_flight > len(LARGE) + SMALL)
        assert server.inbox.gate is not None
        server.inbox.gate.set()
        await asyncio.wait_for(waiting, 10)
        await second.send(b".\r\n")
        assert (await second.reply()).startswith(b"250 ")


async def test_who_has_waited_too_long_is_put_off() -> None:
    patient = replace(ONE, longest_wait=timedelta(seconds=0.2), idle_timeout=timedelta(seconds=20))
    async with serving(patient) as server:
        first, sending = await uploading(server)
        await sending
        second, waiting = await uploading(server)
        await asyncio.wait_for(waiting, 10)
        await second.send(b".\r\n")
        assert (await second.reply()).startswith(b"452 4.3.1 ")
        assert (await second.mail()).startswith(b"250 ")
        await first.send(b".\r\n")
        assert (await first.reply()).startswith(b"250 ")


async def test_what_was_declared_to_be_small_needs_room_for_that_only() -> None:
    async with serving(ONE) as server:
        clients = []
        for _ in range(2):
            client = await server.connect()
            await client.codes(b"EHLO there", b"MAIL FROM:<> SIZE=1000000", b"RCPT TO:<a@b.example>", b"DATA")
            await client.send(LINE * 1000)
            clients.append(client)
        await until(lambda: server.reception.bytes_in_flight == 2 * 1000 * len(LINE))
        for client in clients:
            await client.send(b".\r\n")
            assert (await client.reply()).startswith(b"250 ")
