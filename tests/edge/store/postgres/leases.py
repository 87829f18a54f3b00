"""Guards for tests that need more than one, and lengths of leases."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from mailguard.edge.store.postgres import Lease, PostgresStore, SharedDatabase
from tests.edge.store.samples import RecordingLog

SHORT = timedelta(seconds=3)


async def expire(database: SharedDatabase) -> None:
    """All leases are over: by the clock of the database, it is later than they think."""
    await database.read(lambda c: c.execute("UPDATE node SET lease_until = clock_timestamp()"))


@contextlib.asynccontextmanager
async def guards(
    url: str, log: RecordingLog, count: int, *, length: timedelta = timedelta(seconds=15)
) -> AsyncIterator[list[PostgresStore]]:
    """The stores of so many guards of one queue."""
    stores = []
    for number in range(count):
        database = await SharedDatabase.open(url, log=log)
        stores.append(PostgresStore(database, lease=Lease(database, name=f"guard{number}", length=length)))
    try:
        yield stores
    finally:
        for store in stores:
            await store.close()
