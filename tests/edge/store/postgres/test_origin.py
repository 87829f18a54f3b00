"""A database that was restored from a dump is known for one; the one that was left is not."""

import subprocess
from datetime import UTC, datetime, timedelta

import psycopg

from mailguard.edge.store.postgres import PostgresStore, SharedDatabase
from tests.edge.store.postgres.leases import guards
from tests.edge.store.samples import RecordingLog, ids, numbered, put
from tests.making import NOW
from tests.postgres_server import Server


async def test_what_was_left_is_no_copy(store: PostgresStore, url: str, log: RecordingLog) -> None:
    assert await store.restored_from() is None
    await put(store, *numbered(2))
    async with guards(url, log, 1) as (again,):
        assert await again.restored_from() is None


async def test_a_dump_that_was_restored_is(
    store: PostgresStore, url: str, server: Server, log: RecordingLog
) -> None:
    held = await put(store, *numbered(3))
    schema = url.rpartition("%3D")[2]
    command = [str(server.programs / "pg_dump"), "--no-owner", f"--schema={schema}", server.url]
    dump = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}_old")
    command = [str(server.programs / "psql"), "-q", "-v", "ON_ERROR_STOP=1", server.url]
    subprocess.run(command, input=dump, check=True, text=True, stdout=subprocess.DEVNULL)
    async with guards(url, log, 1) as (restored,):
        # About when it was made: the last that is in it.
        assert await restored.restored_from() == NOW
        assert {(await restored.find(one.id)).id for one in held} == set(ids(held))
        await restored.settled_in()
        assert await restored.restored_from() is None


async def test_a_copy_that_cannot_be_known_is_marked_by_hand(
    store: PostgresStore, database: SharedDatabase
) -> None:
    await database.read(lambda c: c.execute("UPDATE installation SET restored_at = now()"))
    at = await store.restored_from()
    assert at is not None
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    await store.settled_in()
    assert await store.restored_from() is None
