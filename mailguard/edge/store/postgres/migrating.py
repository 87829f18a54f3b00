"""Brings the shared database to the schema that this mailguard knows: all steps in one transaction, one guard
at a time.

A guard that runs goes on beside one that upgrades; it meets the new schema with its old statements. So a step
adds what is new with a default, and takes nothing away that the version before it asks for.
"""

from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.edge.store import migrate
from mailguard.edge.store.migrate import Migration

# Whoever upgrades holds this advisory lock: "mgrd".
LOCK = 0x6D677264
_CREATE_TABLE = """
    CREATE TABLE schema_version (
        number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, at text NOT NULL
    )
"""


async def upgrade(
    connection: AsyncConnection[tuple[Any, ...]],
    where: str,
    migrations: tuple[Migration, ...] | None = None,
) -> int:
    """Run the steps that the database does not have yet; how many there were.

    Raises UnknownSchema where the database is newer or went another way, StoreError where it is no database
    of mailguard's.
    """
    known = migrate.load("postgres") if migrations is None else migrations
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        done = await _recorded(connection, where)
        migrate.compare(done, where, known)
        missing = [migration for migration in known if migration.number not in done]
        for migration in missing:
            await _run(connection, migration)
    return len(missing)


async def _recorded(connection: AsyncConnection[tuple[Any, ...]], where: str) -> dict[int, str]:
    found = await connection.execute(
        "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))"
    )
    tables = {name for (name,) in await found.fetchall()}
    if "schema_version" in tables:
        recorded = await connection.execute("SELECT number, checksum FROM schema_version")
        return dict(await recorded.fetchall())
    if tables:
        raise StoreError(f"{where} is a database of another program; give mailguard one of its own")
    return {}


async def _run(connection: AsyncConnection[tuple[Any, ...]], migration: Migration) -> None:
    # Without parameters, so that the file may have many statements.
    await connection.execute(migration.sql)
    if migration.number == 1:
        await connection.execute(_CREATE_TABLE)
    await connection.execute(
        "INSERT INTO schema_version (number, name, checksum, at) VALUES (%s, %s, %s, %s)",
        (
            migration.number,
            migration.name,
            migration.checksum,
            datetime.now(UTC).isoformat(timespec="seconds"),
        ),
    )
