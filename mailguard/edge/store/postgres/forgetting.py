"""What is forgotten of the shared queue: bytes that no restore can want, then messages finished long ago."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]

# A new version, so that a restore that still saw the bytes comes too late. What another guard forgets at the
# same moment is passed over.
_BYTES = """
    WITH old AS (
        SELECT n FROM message WHERE done_at IS NOT NULL AND body_kept AND done_at < %s
        ORDER BY done_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM body USING old WHERE body.message = old.n
    )
    UPDATE message SET body_kept = false, version = version + 1 FROM old WHERE message.n = old.n
"""
_MESSAGES = """
    DELETE FROM message WHERE n IN (
        SELECT n FROM message WHERE done_at IS NOT NULL AND done_at < %s
        ORDER BY done_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""
# Each row is added up by one guard only: another one that comes at the same moment finds it gone.
_TALLY = """
    WITH gone AS (DELETE FROM tally RETURNING state, messages)
    INSERT INTO tally (state, messages)
    SELECT state, sum(messages) FROM gone GROUP BY state HAVING sum(messages) <> 0
"""


@dataclass(frozen=True, slots=True)
class Bite:
    """Ask to forget at most `limit` messages, or their bytes."""

    finished_before: datetime
    undo_before: datetime
    limit: int


async def forget(connection: Connection, bites: Sequence[Bite]) -> list[int]:
    """How many messages were touched, for each bite."""
    return [await _forget(connection, bite) for bite in bites]


async def _forget(connection: Connection, bite: Bite) -> int:
    stale = (await connection.execute(_BYTES, (bite.undo_before, bite.limit))).rowcount
    if stale >= bite.limit:
        return stale
    old = await connection.execute(_MESSAGES, (bite.finished_before, bite.limit - stale))
    return stale + old.rowcount


async def add_up(connection: Connection) -> None:
    """Make few rows of the many that counted the messages."""
    await connection.execute(_TALLY)
