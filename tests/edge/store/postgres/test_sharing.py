"""One key, one time, and the health of the database."""

import asyncio
import secrets
import time
from datetime import timedelta

import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.clock import elapsed
from mailguard.edge.store.postgres import (
    DatabaseTime,
    Health,
    Lease,
    NoBackup,
    SharedDatabase,
    agreed_key,
)


async def test_the_first_key_is_everybodys(database: SharedDatabase) -> None:
    offers = [secrets.token_bytes(32) for _ in range(5)]
    agreed = await asyncio.gather(*(database.read(agreed_key, offer) for offer in offers))
    assert len(set(agreed)) == 1
    assert agreed[0] in offers


async def test_a_clock_that_goes_wrong_is_held_against_the_databases(database: SharedDatabase) -> None:
    ahead = DatabaseTime(database, elapsed=lambda: elapsed() + 3600)
    await ahead.measure()
    assert abs(ahead.now() - time.time()) < 1
    distance = ahead.now()
    await ahead.look(None)
    assert abs(ahead.now() - distance) < 1


async def test_a_database_that_is_away_leaves_the_time_as_it_was(database: SharedDatabase) -> None:
    there = DatabaseTime(database, elapsed=elapsed)
    await there.measure()
    await database.close()
    await there.look(None)
    assert abs(there.now() - time.time()) < 1
    with pytest.raises(StoreError):
        await there.measure()


async def test_the_health_of_the_database(database: SharedDatabase) -> None:
    health = Health(database)
    await health.look(None)
    assert health.told() is None
    await database.read(lambda c: c.execute("INSERT INTO tally (state, messages) VALUES ('beamed', 2)"))
    await health.look(None)
    assert "2 messages" in str(health.told())
    await database.close()
    await health.look(None)


async def test_a_backup_is_the_databases(database: SharedDatabase) -> None:
    with pytest.raises(StoreError, match="pg_dump"):
        await NoBackup().begin()
    assert not await NoBackup().renew("x")
    assert not await NoBackup().end("x")
    assert Lease(database, name="a", length=timedelta(0)).until == 0
