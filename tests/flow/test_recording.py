"""What came of an attempt is written down beside the relaying of the next, and not too many at a time."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.hold import Change
from mailguard.core.states import MessageState
from mailguard.flow import in_hand
from mailguard.flow.release import UNWRITTEN
from tests.flow.parts import WORKERS, Parts, opened

MOST_UNWRITTEN = WORKERS * UNWRITTEN


class SlowDisk:
    """A store whose settlements wait until the test lets them go."""

    def __init__(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = asyncio.Event()
        self._apply = parts.store.apply
        monkeypatch.setattr(parts.store, "apply", self.apply)

    async def apply(self, change: Change) -> bool:
        if change.before.state is MessageState.RELAYING:
            await self.free.wait()
        return await self._apply(change)


async def relaying(parts: Parts, messages: int) -> "asyncio.Task[None]":
    """The timer at work, until it has offered so many."""
    running = asyncio.create_task(parts.release.run())
    async with asyncio.timeout(15):
        while len(parts.relay.attempts) < messages:
            await parts.clock.advance(timedelta(milliseconds=10))
            await asyncio.sleep(0)
    for _ in range(50):
        await parts.clock.advance(timedelta(milliseconds=10))
        await asyncio.sleep(0)
    return running


async def test_the_next_one_leaves_while_the_last_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_hand, "AHEAD", 2 * UNWRITTEN)
    async with opened(tmp_path) as parts:
        await leave_with_a_slow_disk(parts, monkeypatch)


async def leave_with_a_slow_disk(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SlowDisk(parts, monkeypatch)
    ids = [await parts.id_of("boss@corp.example") for _ in range(2 * MOST_UNWRITTEN)]
    running = await relaying(parts, MOST_UNWRITTEN)
    # But not all of them: what is not written down can leave twice.
    assert len(parts.relay.attempts) == MOST_UNWRITTEN < len(ids)
    disk.free.set()
    parts.release.stop()
    await asyncio.wait_for(running, 15)
    assert set(parts.relay.attempts) < set(ids)
    assert len(set(parts.relay.attempts)) == len(parts.relay.attempts) >= MOST_UNWRITTEN


async def test_a_guard_that_is_stopped_by_force_writes_down_what_has_left(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(parts, monkeypatch)
    message = await parts.id_of("boss@corp.example")
    running = await relaying(parts, 1)
    running.cancel()
    await asyncio.sleep(0)
    disk.free.set()
    await asyncio.gather(running, return_exceptions=True)
    assert (await parts.store.find(message)).state is MessageState.SENT
