"""The schema of the shared database: made once, by whoever comes first; held against its checksums."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from mailguard.core.errors import StoreError, UnknownSchema
from mailguard.edge.store import migrate
from mailguard.edge.store.postgres import Lease, PostgresStore, SharedDatabase, columns, migrating
from mailguard.edge.store.postgres.database import Connection
from tests.edge.store.samples import RecordingLog, put
from tests.making import message

KNOWN = migrate.load("postgres")


async def test_guards_that_start_together_make_it_once(url: str, log: RecordingLog) -> None:
    opened = await asyncio.gather(*(SharedDatabase.open(url, log=log) for _ in range(6)))
    for database in opened:
        await database.close()
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT number, checksum FROM schema_version ORDER BY number").fetchall()
    assert found == [(one.number, one.checksum) for one in KNOWN]


async def test_a_newer_database_is_refused(url: str, log: RecordingLog) -> None:
    await (await SharedDatabase.open(url, log=log)).close()
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO schema_version VALUES (%s, 'future', 'x', 'x')", (len(KNOWN) + 1,))
    with pytest.raises(UnknownSchema, match="written by a newer mailguard"):
        await SharedDatabase.open(url, log=log)


async def test_a_database_that_went_another_way_is_refused(url: str, log: RecordingLog) -> None:
    await (await SharedDatabase.open(url, log=log)).close()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE schema_version SET checksum = 'x' WHERE number = 1")
    with pytest.raises(UnknownSchema, match="not this mailguard's"):
        await SharedDatabase.open(url, log=log)


async def test_a_database_of_another_program_is_left_alone(url: str, log: RecordingLog) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE ledger (n integer)")
    with pytest.raises(StoreError, match="another program"):
        await SharedDatabase.open(url, log=log)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT to_regclass('message'), to_regclass('ledger')").fetchone()
    assert found == (None, "ledger")


async def test_a_step_that_fails_changes_nothing(database: SharedDatabase) -> None:
    broken = replace(KNOWN[-1], number=len(KNOWN) + 1, sql="CREATE TABLE half (n integer); SELECT 1 / 0")

    async def upgrade(connection: Connection) -> int:
        return await migrating.upgrade(connection, "here", (*KNOWN, broken))

    with pytest.raises(StoreError):
        await database.read(upgrade)
    asked = await database.read(lambda c: c.execute("SELECT to_regclass('half')"))
    assert await asked.fetchone() == (None,)
    whole = replace(broken, sql="CREATE TABLE half (n integer)")
    assert await database.read(lambda c: migrating.upgrade(c, "here", (*KNOWN, whole))) == 1
    assert await database.read(lambda c: migrating.upgrade(c, "here", (*KNOWN, whole))) == 0


async def test_an_older_queue_knows_the_logins_of_what_it_has(database: SharedDatabase) -> None:
    """Also where a subject has what PostgreSQL's text cannot hold, and where a row is none of ours."""
    await database.read(lambda c: c.execute("DROP INDEX message_login_open, message_login_done"))
    store = PostgresStore(database, lease=Lease(database, name="a"))
    users = {"anne": "plain", "b\0b": "a \0 and \udce9", "c": r"\u0000 as it is written", None: "nobody"}
    made = [
        replace(message(subject=subject, user=user), id=f"{'bcdf'[n]}7fm2xqp9d3t")
        for n, (user, subject) in enumerate(users.items())
    ]
    await put(store, *made)
    await database.read(lambda c: c.execute("ALTER TABLE message DROP COLUMN login"))
    broken = (
        'INSERT INTO message SELECT (jsonb_populate_record(m, \'{"n": 7, "id": "x", "document": "no"}\')).*'
    )
    await database.read(lambda c: c.execute(f"{broken} FROM message AS m LIMIT 1".encode()))
    await database.read(lambda c: c.execute("DELETE FROM schema_version WHERE number > 1"))
    assert await database.read(lambda c: migrating.upgrade(c, "here", KNOWN[:2])) == 1
    found = await database.read(lambda c: c.execute("SELECT id, login FROM message"))
    logins: dict[str, str | None] = dict(await found.fetchall())
    assert logins == {one.id: columns.columns(one)[10] for one in made} | {"x": None}
    await store.close()
