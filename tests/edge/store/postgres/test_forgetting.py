"""What is forgotten is gone with all its parts, and the counts stay short and right."""

import asyncio
from datetime import timedelta

from mailguard.edge.store.postgres import PostgresStore, SharedDatabase, forgetting
from tests.edge.store.postgres.leases import guards
from tests.edge.store.samples import RecordingLog, cancelled, numbered, put
from tests.making import NOW

AFTER = NOW + timedelta(days=1)


async def count(database: SharedDatabase, table: str) -> int:
    asked = await database.read(lambda c: c.execute(f"SELECT count(*) FROM {table}"))  # noqa: S608
    return int((await asked.fetchone() or (0,))[0])


async def test_nothing_is_left_of_it(store: PostgresStore, database: SharedDatabase) -> None:
    for one in await put(store, *numbered(5)):
        assert await store.apply(cancelled(one))
    while await store.forget(AFTER, AFTER, 2):
        pass
    for table in ("message", "body", "event", "submission"):
        assert await count(database, table) == 0
    assert not (await store.census(NOW)).by_state


async def test_the_counts_are_added_up(store: PostgresStore, database: SharedDatabase) -> None:
    held = await put(store, *numbered(30))
    for one in held[:7]:
        assert await store.apply(cancelled(one))
    before = (await store.census(NOW)).by_state
    assert await count(database, "tally") > 2
    await asyncio.gather(*(database.read(forgetting.add_up) for _ in range(4)))
    assert (await store.census(NOW)).by_state == before
    await database.read(forgetting.add_up)
    assert await count(database, "tally") == 2


async def test_two_guards_that_forget_at_the_same_time(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 2) as (one, two):
        for held in await put(one, *numbered(60)):
            assert await one.apply(cancelled(held))
        touched = 0
        while some := sum(await asyncio.gather(one.forget(AFTER, AFTER, 7), two.forget(AFTER, AFTER, 7))):
            touched += some
        # The bytes of each, then all the rest of it.
        assert touched == 120
