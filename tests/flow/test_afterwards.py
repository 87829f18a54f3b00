"""What is learnt of mail that left: later, together, and never in the way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mailguard.core.errors import StoreError
from mailguard.core.hold import HeldMessage
from mailguard.flow.afterwards import BESIDE, LARGEST, TOGETHER, Afterwards
from tests.flow.parts import MESSAGE, Parts
from tests.upstreams import Lines


class Learner:
    """Remembers what it was given to learn."""

    def __init__(self) -> None:
        self.learnt: list[bytes] = []
        self.slow = 0.0

    async def departed(self, message: HeldMessage, content: bytes, *, left: bool) -> None:
        await asyncio.sleep(self.slow)
        self.learnt.append(content)


@pytest.fixture
async def message(parts: Parts) -> HeldMessage:
    return await parts.store.find(await parts.id_of())


@pytest.fixture
async def running() -> AsyncIterator[tuple[Learner, Afterwards, asyncio.Event]]:
    learner, quiet = Learner(), asyncio.Event()
    afterwards = Afterwards(learner, quiet, Lines())  # type: ignore[arg-type]
    task = asyncio.create_task(afterwards.run())
    yield learner, afterwards, quiet
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_mail_that_is_leaving_goes_first(
    running: tuple[Learner, Afterwards, asyncio.Event], message: HeldMessage
) -> None:
    learner, afterwards, quiet = running
    for number in range(3):
        await afterwards.learn(message, b"%d" % number, left=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert learner.learnt == []
    quiet.set()
    async with asyncio.timeout(1):
        while len(learner.learnt) < 3:
            await asyncio.sleep(0)
    assert learner.learnt == [b"0", b"1", b"2"]


async def test_it_is_not_put_off_for_ever(
    running: tuple[Learner, Afterwards, asyncio.Event],
    message: HeldMessage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner, afterwards, _ = running
    monkeypatch.setattr("mailguard.flow.afterwards.PATIENCE", 0.01)
    await afterwards.learn(message, b"0", left=True)
    async with asyncio.timeout(2):
        while not learner.learnt:
            await asyncio.sleep(0.005)


async def test_what_is_large_or_one_too_many_is_learnt_at_once(
    message: HeldMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner()
    monkeypatch.setattr("mailguard.flow.afterwards.ROOM", 10 * (BESIDE + 5))
    afterwards = Afterwards(learner, asyncio.Event(), Lines())  # type: ignore[arg-type]
    await afterwards.learn(message, b"x" * (LARGEST + 1), left=True)
    assert len(learner.learnt) == 1
    for _ in range(10):
        await afterwards.learn(message, b"small", left=True)
    assert len(learner.learnt) == 1
    await afterwards.learn(message, b"small", left=True)
    assert len(learner.learnt) == 2
    await afterwards.finish()
    assert len(learner.learnt) == 12
    # There is room again.
    await afterwards.learn(message, b"small", left=True)
    assert len(learner.learnt) == 12


async def test_ten_thousand_of_usual_size_may_wait(message: HeldMessage) -> None:
    learner = Learner()
    afterwards = Afterwards(learner, asyncio.Event(), Lines())  # type: ignore[arg-type]
    content = bytes(4096)
    for _ in range(10_000):
        await afterwards.learn(message, content, left=True)
    assert learner.learnt == []


async def test_a_stop_is_not_kept_waiting_by_what_is_to_be_learnt(
    message: HeldMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, log = Learner(), Lines()
    monkeypatch.setattr("mailguard.flow.afterwards.FAREWELL", 0.0)
    afterwards = Afterwards(learner, asyncio.Event(), log)  # type: ignore[arg-type]
    for _ in range(3 * TOGETHER):
        await afterwards.learn(message, b"small", left=True)
    await afterwards.finish()
    assert len(learner.learnt) == TOGETHER
    assert [fields["messages"] for name, fields in log.lines if name == "not_learnt"] == [2 * TOGETHER]


async def test_who_stops_waits_for_those_that_are_being_learnt(
    running: tuple[Learner, Afterwards, asyncio.Event], message: HeldMessage
) -> None:
    learner, afterwards, quiet = running
    learner.slow = 0.05
    await afterwards.learn(message, b"small", left=True)
    quiet.set()
    await asyncio.sleep(0.01)
    assert learner.learnt == []
    await afterwards.finish()
    assert learner.learnt == [b"small"]


async def test_a_guard_that_stops_learns_what_has_left(parts: Parts) -> None:
    await parts.submit("boss@corp.example")
    running = asyncio.create_task(parts.release.run())
    while not parts.relay.taken:
        await parts.clock.advance(timedelta(milliseconds=10))
    parts.release.stop()
    await asyncio.wait_for(running, 5)
    assert (await parts.memory.thread(["one@corp.example"])).known


async def test_a_fault_of_the_memory_is_told_and_nothing_else(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(parts.memory, "learn", broken)
    message = await parts.id_of("boss@corp.example", content=MESSAGE)
    await parts.tick()
    assert (await parts.store.find(message)).state.finished
    assert any("not_learnt" in line for line in parts.log.lines)
