"""What is forgotten of the shared queue: bytes that no restore can want, then messages finished long ago."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection

from mailguard.edge.store.steps import Bite

Connection = AsyncConnection[tuple[Any, ...]]

# A new version, so that a restore that still saw the bytes comes too late. What another guard forgets at the
# same moment is passed over.
_BYTES = """
    WITH old AS (
        SELECT n FROM message WHERE done_at IS NOT NULL AND body_kept AND done_at < %s
        ORDER BY done_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM body USING old WHERE body.message = old.n
    ), touched AS (
        UPDATE message SET body_kept = false, version = version + 1 FROM old WHERE message.n = old.n
        RETURNING 1
    )
    SELECT count(*) FROM touched
"""
_MESSAGES = """
    WITH gone AS (
        DELETE FROM message WHERE n IN (
            SELECT n FROM message WHERE done_at IS NOT NULL AND done_at < %s
            ORDER BY done_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING 1
    )
    SELECT count(*) FROM gone
"""
# Each row is added up by one guard only: another one that comes at the same moment finds it gone.
_TALLY = """
    WITH gone AS (DELETE FROM tally RETURNING state, messages)
    INSERT INTO tally (state, messages)
    SELECT state, sum(messages) FROM gone GROUP BY state HAVING sum(messages) <> 0
"""


async def forget(connection: Connection, bites: Sequence[Bite]) -> list[int]:
    """How many messages were touched, for each bite."""
    return [await _forget(connection, bite) for bite in bites]


async def _forget(connection: Connection, bite: Bite) -> int:
    stale = await _counted(connection, _BYTES, bite.undo_before, bite.limit)
    if stale >= bite.limit:
        return stale
    return stale + await _counted(connection, _MESSAGES, bite.finished_before, bite.limit - stale)


async def _counted(connection: Connection, statement: LiteralString, before: datetime, limit: int) -> int:
    row = await (await connection.execute(statement, (before, limit))).fetchone()
    return int(row[0]) if row else 0


async def add_up(connection: Connection) -> None:
    """Make few rows of the many that counted the messages."""
    await connection.execute(_TALLY)
