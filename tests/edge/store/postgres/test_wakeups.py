"""What one guard changes, the others hear of at once; and what is lost on the way harms nobody."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from mailguard.edge.store.postgres import SharedDatabase, Wakeups
from tests.edge.store.postgres.leases import guards
from tests.edge.store.samples import DUE, RecordingLog, cancelled
from tests.making import message


class Ear:
    """What a guard has heard."""

    def __init__(self, database: SharedDatabase) -> None:
        self.changes = 0
        self.due: list[datetime] = []
        self.heard = asyncio.Event()
        self.wakeups = Wakeups(database, elsewhere=self._changed)
        self.task = asyncio.create_task(self.wakeups.run(self.due.append))

    def _changed(self) -> None:
        self.changes += 1
        self.heard.set()


@pytest.fixture
async def ears(url: str, log: RecordingLog) -> AsyncIterator[tuple[Ear, Ear]]:
    """Two guards that listen."""
    async with guards(url, log, 2) as stores:
        both = (Ear(stores[0]._database), Ear(stores[1]._database))
        async with asyncio.timeout(20):
            # Until both are listening.
            while True:
                asked = await stores[0]._database.read(
                    lambda c: c.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN mailguard'"
                    )
                )
                if (await asked.fetchone() or (0,))[0] >= 2:
                    break
                await asyncio.sleep(0.02)
        yield both
        for ear in both:
            ear.task.cancel()
            await asyncio.gather(ear.task, return_exceptions=True)
            await ear.wakeups.close()


async def test_the_others_hear_of_it_and_when_it_is_due(ears: tuple[Ear, Ear]) -> None:
    one, two = ears
    began = time.monotonic()
    for _ in range(50):
        one.wakeups.happened(message())
    async with asyncio.timeout(10):
        await two.heard.wait()
    assert time.monotonic() - began < 5
    assert two.due == [DUE]
    assert two.changes == 1
    assert one.changes == 0


async def test_what_has_no_time_is_a_change_all_the_same(ears: tuple[Ear, Ear]) -> None:
    one, two = ears
    two.wakeups.happened(cancelled(message()).after)
    await two.wakeups.close()
    async with asyncio.timeout(10):
        await one.heard.wait()
    assert one.due == []


async def test_it_listens_again_when_the_connection_was_lost(ears: tuple[Ear, Ear]) -> None:
    one, two = ears
    database = one.wakeups._database
    await database.read(
        lambda c: c.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN mailguard'"
        )
    )
    async with asyncio.timeout(30):
        while not two.heard.is_set():
            one.wakeups.happened(message())
            await asyncio.sleep(0.3)


async def test_a_database_that_is_away_stops_nobody(database: SharedDatabase) -> None:
    await database.close()
    wakeups = Wakeups(database, elsewhere=lambda: None)
    wakeups.happened(message())
    await wakeups.close()
