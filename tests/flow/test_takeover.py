"""What a guard had in hand that is not heard of any more is looked for again and again."""

import asyncio
from datetime import timedelta

from mailguard.core.errors import StoreError
from mailguard.flow.takeover import EVERY_SECONDS, TakeOver
from tests.clocks import FakeClock
from tests.edge.store.samples import RecordingLog


async def test_it_looks_every_few_seconds_whatever_the_store_says() -> None:
    clock, log = FakeClock(), RecordingLog()
    looks: list[int] = []

    async def recover() -> int:
        looks.append(len(looks))
        if len(looks) == 2:
            raise StoreError("not now")
        return 0

    running = asyncio.create_task(TakeOver(recover=recover, clock=clock, log=log).run())
    for count in range(4):
        await asyncio.sleep(0)
        assert len(looks) == count
        await clock.advance(timedelta(seconds=EVERY_SECONDS))
    assert log.told("store_error") == [{"error": "not now"}]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
