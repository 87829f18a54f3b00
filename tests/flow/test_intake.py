"""The answer to the last dot comes in time, however late the store is; and what the store does after all."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.errors import StoreError
from mailguard.core.facts import Body, Headers, Thread
from mailguard.core.states import MessageState
from mailguard.edge.smtp_in.options import SmtpOptions
from mailguard.edge.store.sqlite import Database
from mailguard.flow import intake, judging, receive
from tests.flow.parts import MESSAGE, Parts

TO = "client@customer.example"
# What the tests allow instead of the real seconds.
SOON = 0.3


class SlowDisk:
    """Keeps the store's thread busy from `stop` to `go`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gone_on = threading.Event()
        self._task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        self._gone_on.clear()
        entered = threading.Event()

        def stand(connection: sqlite3.Connection) -> None:
            entered.set()
            assert self._gone_on.wait(30)

        self._task = asyncio.create_task(self._database.read(stand))
        await asyncio.to_thread(entered.wait, 20)

    async def go(self) -> None:
        self._gone_on.set()
        if self._task is not None:
            await self._task
            self._task = None


@pytest.fixture
async def disk(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowDisk]:
    monkeypatch.setattr(receive, "ANSWER_WITHIN", SOON)
    monkeypatch.setattr(judging, "READ_WITHIN", SOON / 2)
    slow = SlowDisk(parts.store._database)
    yield slow
    await slow.go()


async def until_stored(parts: Parts, messages: int) -> None:
    for _ in range(200):
        if len(await parts.history.listing(ADMIN)) == messages:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {messages} messages")


async def test_a_late_store_is_not_waited_for_and_the_second_try_gets_the_first_ones_id(
    parts: Parts, disk: SlowDisk
) -> None:
    await disk.stop()
    begun = time.monotonic()
    first = await parts.submit(TO, content=MESSAGE)
    assert time.monotonic() - begun < 10 * SOON
    assert str(first).startswith("451 4.3.0 The message cannot be stored now, try again later")
    await disk.go()
    await until_stored(parts, 1)
    second = await parts.submit(TO, content=MESSAGE)
    assert str(second).startswith("250 2.0.0 Held as 000000000001 until")
    assert [m.id for m in await parts.history.listing(ADMIN)] == ["000000000001"]
    assert "stored_late" in parts.log.names


async def test_a_large_message_is_waited_for_longer(
    parts: Parts, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "STORED_A_SECOND", len(MESSAGE) / 30)
    await disk.stop()
    sending = asyncio.create_task(parts.submit(TO, content=MESSAGE))
    await asyncio.sleep(2 * SOON)
    assert not sending.done()
    await disk.go()
    assert (await sending).accepted


async def test_a_second_try_while_the_first_still_waits_is_not_a_second_message(
    parts: Parts, disk: SlowDisk
) -> None:
    await disk.stop()
    replies = [await parts.submit(TO, content=MESSAGE) for _ in range(3)]
    assert {reply.code for reply in replies} == {451}
    await disk.go()
    third = await parts.submit(TO, content=MESSAGE)
    assert third.accepted
    [held] = await parts.history.listing(ADMIN)
    assert held.id in third.text
    assert [event.event for event in await parts.store.events(held.id)] == ["received", *["resubmitted"] * 3]


async def test_what_is_stored_late_leaves_in_its_time(parts: Parts, disk: SlowDisk) -> None:
    await disk.stop()
    await parts.submit("boss@corp.example", content=MESSAGE)
    await disk.go()
    await until_stored(parts, 1)
    await parts.tick()
    [held] = await parts.history.listing(ADMIN, finished=True)
    assert held.state is MessageState.SENT
    assert str(await parts.submit("boss@corp.example", content=MESSAGE)) == f"250 2.0.0 Queued as {held.id}"


async def test_what_waits_for_a_late_store_is_bounded(
    parts: Parts, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LATE_BYTES", 3 * len(MESSAGE))
    await disk.stop()
    for number in range(3):
        await parts.submit(f"c{number}@customer.example", content=MESSAGE)
    monkeypatch.setattr(receive, "ANSWER_WITHIN", 60.0)
    begun = time.monotonic()
    assert (await parts.submit(TO, content=MESSAGE)).code == 451
    assert time.monotonic() - begun < 20
    await disk.go()
    await until_stored(parts, 3)
    assert (await parts.submit(TO, content=MESSAGE)).accepted


async def test_a_late_fault_is_told_to_the_operator(
    parts: Parts, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = asyncio.Event()

    async def breaks(*_: object) -> None:
        await broken.wait()
        raise StoreError("the disk failed")

    monkeypatch.setattr(parts.store, "add", breaks)
    assert (await parts.submit(TO)).code == 451
    broken.set()
    await asyncio.sleep(0.05)
    assert ("not_stored", {"id": "000000000001", "error": "the disk failed"}) in parts.log.lines


class Sleepers:
    """ports.Bodies and ports.Memory that answer in their own time."""

    async def read(self, content: bytes, headers: Headers) -> Body:
        await asyncio.sleep(60)
        return Body()

    async def thread(self, message_ids: object) -> Thread:
        await asyncio.sleep(60)
        return Thread()

    async def learn(self, *_: object) -> None:
        return None


@pytest.mark.parametrize(("part", "late"), [("", "_bodies"), ("_knows", "_threads")])
async def test_what_is_not_read_in_time_is_held_for_somebody_to_look_at(
    parts: Parts, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch, part: str, late: str
) -> None:
    monkeypatch.setattr(receive, "ANSWER_WITHIN", 30.0)
    judges = parts.receive._judging
    monkeypatch.setattr(getattr(judges, part) if part else judges, late, Sleepers())
    rules = '[[rule]]\nname = "secret"\nwhen = { body = "secret" }\ndelay = "1m"\n'
    monkeypatch.setattr(parts.rules, "current", type(parts.rules)(rules).current)
    answer = b"In-Reply-To: <zero@client.example>\r\n" + MESSAGE
    begun = time.monotonic()
    reply = await parts.submit("boss@corp.example", content=answer)
    assert time.monotonic() - begun < 10
    assert "until confirmed" in reply.text
    held = await parts.store.find("000000000001")
    assert [finding.check for finding in held.findings] == ["unreadable"]
    assert await parts.store.content(held.id) == answer


async def test_seconds_are_as_promised() -> None:
    assert judging.READ_WITHIN < receive.ANSWER_WITHIN < 5
    # Outlook waits for a minute.
    assert SmtpOptions(hostname="x").max_message_bytes / receive.STORED_A_SECOND < 30
