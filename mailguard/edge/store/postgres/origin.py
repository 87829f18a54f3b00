"""Whether this database is the one that was left, or a copy that was put in its place.

pg_restore and psql make the tables anew, so that they have other oids than those that the copy remembers. A
physical copy has the same ones; whoever goes back to one says so (docs/howto/backup.md).
"""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]

# The last that the copy knows is about when it was made.
_RESTORED_FROM = """
    SELECT restored_at, message_oid <> 'message'::regclass::oid::bigint,
        greatest((SELECT max(at)::timestamptz FROM event), (SELECT max(lease_until) FROM node)),
        clock_timestamp()
    FROM installation
"""


async def restored_from(connection: Connection) -> datetime | None:
    """When the copy was made that this database is; None where it is no copy, or no fresh one."""
    row = await (await connection.execute(_RESTORED_FROM)).fetchone()
    if row is None:
        return None
    marked, copied, newest, now = row
    if marked is not None:
        return datetime.fromisoformat(marked.isoformat())
    if not copied:
        return None
    return datetime.fromisoformat((newest or now).isoformat())


async def settle_in(connection: Connection) -> None:
    """The database is no fresh copy any more."""
    await connection.execute(
        "UPDATE installation SET restored_at = NULL, message_oid = 'message'::regclass::oid::bigint"
    )
