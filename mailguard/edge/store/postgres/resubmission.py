"""Knows a message that is handed in again, to this guard or to another one (core/resubmission.py)."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from mailguard.edge.store import known, rows
from mailguard.edge.store.known import Fresh
from mailguard.edge.store.postgres.bulk import RowsStatement, array, byte_array
from mailguard.ports import Mark

Connection = AsyncConnection[tuple[Any, ...]]

_ADD = RowsStatement(
    head="INSERT INTO submission (message, digest, received_at, reply)",
    types=("bigint", "bytea", "timestamptz", "text"),
)
_REMOVE_OLD = """
    DELETE FROM submission WHERE message IN (
        SELECT message FROM submission WHERE received_at < %s ORDER BY received_at LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
"""
# A new version, because the history has one line for each.
_AGAIN = """
    WITH touched AS (UPDATE message SET version = version + 1 WHERE n = %s RETURNING n, version)
    INSERT INTO event (message, version, at, event, by, detail)
    SELECT n, version, %s, %s, %s, %s FROM touched
"""


async def fresh(connection: Connection, marks: Sequence[Mark]) -> Fresh:
    """What the store knows of these; until the transaction ends, no other guard puts one of them in."""
    seen = Fresh()
    if not marks:
        return seen
    digests = list({mark.digest for mark in marks})
    # In one order everywhere, so that no two guards wait for one another; and a statement of its own, so that
    # the next one sees what was committed meanwhile.
    locks = sorted(int.from_bytes(digest[:8], "big", signed=True) for digest in digests)
    await connection.execute(
        "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(%s::bigint[]) AS k", (array(locks),)
    )
    asked = await connection.execute(
        """
        SELECT digest, s.message, s.received_at, s.reply, m.id, m.state
        FROM submission AS s JOIN message AS m ON m.n = s.message
        WHERE digest = ANY (%s::bytea[]) AND m.state NOT IN (%s, %s, %s) ORDER BY s.message
        """,
        (byte_array(digests), *known.NOT_KNOWN),
    )
    found = await asked.fetchall()
    seen.find((bytes(digest), *rest) for digest, *rest in found)
    return seen


async def write(connection: Connection, fresh: Fresh) -> None:
    """To be called when the new messages are written."""
    if fresh.added:
        await connection.execute(_REMOVE_OLD, (fresh.since, known.OLD_PER_NEW * len(fresh.added)))
        await _ADD.run(connection, fresh.added)
    for number, mark in fresh.again:
        _, *event = rows.event_row(0, mark.again)
        await connection.execute(_AGAIN, (number, *event))
