"""The machine is looked after again and again, and what is wrong is told."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.errors import StoreError
from mailguard.flow.watch import EVERY_SECONDS, Watch
from tests.clocks import FakeClock
from tests.flow.parts import opened


class Part:
    """Watched; keeps what it was told of the queue."""

    def __init__(self, trouble: str | None = None) -> None:
        self.trouble = trouble
        self.looks: list[datetime | None] = []

    async def look(self, next_due: datetime | None) -> None:
        self.looks.append(next_due)

    def told(self) -> str | None:
        return self.trouble

    def refuses(self) -> bool:
        return self.trouble == "the disk is full"


async def test_every_few_seconds(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        well, ill = Part(), Part("the disk is full")
        watch = Watch(store=parts.store, clock=parts.clock, watched=[well, ill])
        assert watch.troubles() == ["the disk is full"]
        assert watch.refusing()
        running = asyncio.create_task(watch.run())
        while not ill.looks:
            await asyncio.sleep(0.01)
        await parts.id_of("client@customer.example")
        while len(ill.looks) < 2:
            await parts.clock.advance(timedelta(seconds=EVERY_SECONDS))
        due = await parts.store.next_due()
        assert due is not None
        assert well.looks[:2] == ill.looks[:2] == [None, due]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_store_that_cannot_be_asked_counts_as_busy(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        part, clock = Part(), FakeClock()
        await parts.store.close()
        watch = Watch(store=parts.store, clock=clock, watched=[part])
        await watch.look()
        assert part.looks == [clock.now()]
        try:
            await parts.store.next_due()
        except StoreError:
            return
        raise AssertionError("a closed store answers")


async def test_a_time_that_is_being_reckoned_counts_as_due(tmp_path: Path) -> None:
    """A message that comes while the store is asked is in no answer of it, and its release time is fixed."""
    async with opened(tmp_path) as parts:
        part = Part()
        watch = Watch(store=parts.store, clock=parts.clock, watched=[part])
        with parts.clock.steady():
            await watch.look()
        await parts.clock.advance(timedelta(seconds=1))
        looking = asyncio.create_task(watch.look())
        await asyncio.sleep(0)
        with parts.clock.steady():
            pass
        await looking
        now = parts.clock.now()
        await parts.clock.advance(timedelta(seconds=1))
        await watch.look()
        assert part.looks == [now - timedelta(seconds=1), now, None]


async def test_who_reckons_a_time_holds_the_clock_until_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receiving, deciding, and recording what came of an attempt."""
    async with opened(tmp_path) as parts:
        held: list[int] = []
        add, apply = parts.store.add, parts.store.apply

        async def adding(*given: Any) -> Any:
            held.append(parts.clock.holders)
            return await add(*given)

        async def applying(*given: Any) -> Any:
            held.append(parts.clock.holders)
            return await apply(*given)

        monkeypatch.setattr(parts.store, "add", adding)
        monkeypatch.setattr(parts.store, "apply", applying)
        message = await parts.id_of("client@customer.example")
        await parts.decide.release(message, ADMIN)
        await parts.tick()
        assert held == [1, 1, 1]
        assert parts.clock.holders == 0


async def test_a_trouble_is_told_of_once_each_time_that_it_begins(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        told: list[str] = []
        well, ill = Part(), Part("the disk is full: 3 MiB are free")
        watch = Watch(store=parts.store, clock=parts.clock, watched=[well, ill], tell=told.extend)
        await watch.look()
        ill.trouble = "the disk is full: 2 MiB are free"
        await watch.look()
        assert told == ["the disk is full: 3 MiB are free"]
        ill.trouble = None
        await watch.look()
        well.trouble = ill.trouble = "again"
        await watch.look()
        assert told[1:] == ["again", "again"]
