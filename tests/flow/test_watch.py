"""The machine is looked after again and again, and what is wrong is told."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

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


async def test_every_few_seconds(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        well, ill = Part(), Part("the disk is full")
        watch = Watch(store=parts.store, clock=parts.clock, watched=[well, ill])
        assert watch.troubles() == ["the disk is full"]
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
