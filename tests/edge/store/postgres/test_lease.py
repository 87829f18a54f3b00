"""Leases: renewed while the guard lives, over when it does not, and never renewed after that."""

import asyncio
import time
from datetime import timedelta

from mailguard.core.states import MessageState
from mailguard.edge.store.postgres import Lease, PostgresStore, SharedDatabase
from tests.edge.store.postgres.leases import SHORT, expire, guards
from tests.edge.store.samples import LATER, RecordingLog, ids, numbered, put, settled
from tests.making import message


async def test_what_a_living_guard_has_in_hand_is_nobody_elses(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 2, length=SHORT) as (one, two):
        [held] = await put(one, message())
        [claimed] = await one.claim(LATER, 10)
        # Longer than the lease, which is renewed meanwhile.
        end = time.monotonic() + 1.5 * SHORT.total_seconds()
        while time.monotonic() < end:
            assert await two.stranded() == []
            assert one.holds_until(held.id) > time.monotonic()
            await asyncio.sleep(0.1)
        assert two.holds_until(held.id) == 0
        assert await one.apply(settled(claimed.message))
        assert one.holds_until(held.id) == 0


async def test_of_a_lease_that_is_over_the_others_take_what_it_had(
    url: str, log: RecordingLog, database: SharedDatabase
) -> None:
    async with guards(url, log, 2) as (one, two):
        await put(one, *numbered(3))
        first = await one.claim(LATER, 2)
        await expire(database)
        assert ids(await two.stranded()) == ids([claimed.message for claimed in first])
        # It goes on under a new lease, and has nothing of the old one.
        [new] = await one.claim(LATER, 2)
        assert len(await two.stranded()) == 2
        assert {one.holds_until(claimed.message.id) for claimed in first} == {0}
        assert one.holds_until(new.message.id) > time.monotonic()


async def test_a_lease_that_is_over_is_not_renewed(database: SharedDatabase, log: RecordingLog) -> None:
    lease = Lease(database, name="a", length=timedelta(seconds=2.5))
    first = await lease.owner()
    assert lease.until > time.monotonic()
    await expire(database)
    async with asyncio.timeout(10):
        while lease.until:
            await asyncio.sleep(0.05)
    assert log.told("lease_lost")
    second = await lease.owner()
    assert second != first
    assert lease.until > time.monotonic()
    await lease.end()


async def test_a_guard_that_ends_leaves_at_once_what_it_had(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 2) as (one, two):
        await put(one, message())
        await one.claim(LATER, 1)
        assert await two.stranded() == []
        await one.close()
        [left] = await two.stranded()
        assert left.state is MessageState.RELAYING


async def test_what_was_claimed_by_a_commit_that_nobody_heard_of_is_found_again(
    store: PostgresStore, database: SharedDatabase
) -> None:
    lease = Lease(database, name="b")
    mine = PostgresStore(database, lease=lease)
    await put(mine, *numbered(4))
    [known] = await mine.claim(LATER, 1)
    # As if the answer had been lost after this one.
    lost = await mine.claim(LATER, 2)
    for one in lost:
        del mine._in_hand[one.message.id]
    mine._unsure = True
    again = await mine.claim(LATER, 10)
    assert {one.message.id for one in again} == {one.message.id for one in lost}
    assert known.message.id not in {one.message.id for one in again}
    assert len(await mine.claim(LATER, 10)) == 1
    await lease.end()
