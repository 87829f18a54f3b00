"""ports.Outbox on PostgreSQL: what one guard is about to tell, another one leaves alone."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection

from mailguard.core.news import Backlog, Dispatch, Pending, Topic
from mailguard.edge.store.postgres.bulk import RowsStatement
from mailguard.edge.store.postgres.columns import Values
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.text import storable

Connection = AsyncConnection[tuple[Any, ...]]

PUT = RowsStatement(
    head="""
    INSERT INTO outbox (id, target, topic, at, next_at, attempts, fault, content)
    SELECT id, target, topic, at, at, 0, '', content FROM""",
    types=("text", "text", "text", "timestamptz", "text"),
    tail="AS new (id, target, topic, at, content) ON CONFLICT DO NOTHING",
)
# What another guard takes at the same moment is passed over.
_TAKE = """
    WITH due AS (
        SELECT n FROM outbox WHERE target = %s AND next_at IS NOT NULL AND next_at <= %s
        ORDER BY next_at, n LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE outbox SET attempts = attempts + 1, next_at = %s FROM due WHERE outbox.n = due.n
    RETURNING outbox.n, attempts - 1, id, target, topic, at, content
"""
_BACKLOG = """
    SELECT count(next_at), count(*) - count(next_at), coalesce((
        SELECT fault FROM outbox WHERE target = %(target)s AND fault <> '' ORDER BY n DESC LIMIT 1), '')
    FROM outbox WHERE target = %(target)s
"""


class PostgresOutbox:
    """News that is to be told outside, by whichever guard comes to it first."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database

    async def put(self, dispatches: Sequence[Dispatch]) -> None:
        """Add news that belongs to no change of a message."""
        if dispatches:
            await self._database.read(_put, [row(dispatch) for dispatch in dispatches])

    async def begin(self, targets: Collection[str], now: datetime) -> int:
        """A guard starts: drop news for other targets; all that waits is due now. What another guard is just
        telling may be told once more: whoever hears it knows it by its id."""
        return await self._database.read(_begin, [storable(one) for one in targets], now)

    async def take(self, target: str, now: datetime, until: datetime, limit: int) -> Sequence[Pending]:
        """What is due for a target, oldest first, put off `until` then."""
        found = await self._database.read(_take, (storable(target), now, limit, until))
        return sorted(found, key=lambda one: one.number)

    async def done(self, number: int) -> None:
        """It was told."""
        await self._database.read(_run, "DELETE FROM outbox WHERE n = %s", (number,))

    async def failed(self, number: int, fault: str, again: datetime | None) -> None:
        """It was not told, and why; to be tried `again`, or given up."""
        text: LiteralString = "UPDATE outbox SET fault = %s, next_at = %s WHERE n = %s"
        await self._database.read(_run, text, (storable(fault), again, number))

    async def next_due(self, target: str) -> datetime | None:
        """When something for this target is to be sent."""
        return await self._database.read(_next_due, storable(target))

    async def backlog(self, target: str) -> Backlog:
        """How it stands with a target."""
        return await self._database.read(_backlog, storable(target))

    async def forget(self, before: datetime) -> int:
        """Remove what was given up and is older."""
        text: LiteralString = "DELETE FROM outbox WHERE next_at IS NULL AND at < %s"
        return await self._database.read(_run, text, (before,))


def row(dispatch: Dispatch) -> Values:
    """The values of a piece of news for PUT."""
    names = (storable(dispatch.id), storable(dispatch.target), dispatch.topic.value)
    return (*names, dispatch.at, storable(dispatch.content))


async def _put(connection: Connection, news: Sequence[Values]) -> None:
    await PUT.run(connection, news)


async def _run(connection: Connection, text: LiteralString, values: Sequence[object]) -> int:
    return (await connection.execute(text, values)).rowcount


async def _begin(connection: Connection, targets: list[str], now: datetime) -> int:
    dropped = await connection.execute("DELETE FROM outbox WHERE target <> ALL (%s)", (targets,))
    await connection.execute("UPDATE outbox SET next_at = %s WHERE next_at IS NOT NULL", (now,))
    return dropped.rowcount


async def _take(connection: Connection, values: Sequence[object]) -> list[Pending]:
    asked = await connection.execute(_TAKE, values)
    return [
        Pending(
            number=number,
            attempts=attempts,
            dispatch=Dispatch(id=id, target=target, topic=Topic(topic), at=at, content=content),
        )
        for number, attempts, id, target, topic, at, content in await asked.fetchall()
    ]


async def _next_due(connection: Connection, target: str) -> datetime | None:
    asked = await connection.execute(
        "SELECT min(next_at) FROM outbox WHERE target = %s AND next_at IS NOT NULL", (target,)
    )
    found = await asked.fetchone()
    return found[0] if found else None


async def _backlog(connection: Connection, target: str) -> Backlog:
    found = await (await connection.execute(_BACKLOG, {"target": target})).fetchone()
    waiting, given_up, fault = found or (0, 0, "")
    return Backlog(waiting=waiting, given_up=given_up, fault=fault)
