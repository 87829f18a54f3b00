"""ports.Memory on PostgreSQL: threads that grow together, shared by all guards of the queue."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from mailguard.edge.store import threads
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.threads import Lesson, Threads

Connection = AsyncConnection[tuple[Any, ...]]

# Threads that two guards join at the same moment must come out as one.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('mailguard memory', 0))"
_UP = """
    WITH RECURSIVE up (n) AS (
        SELECT thread FROM thread_message WHERE digest = ANY (%s)
        UNION
        SELECT parent FROM up JOIN thread USING (n) WHERE parent IS NOT NULL
    )
"""
_PARTICIPANTS = _UP + "SELECT address FROM up JOIN participant ON participant.thread = up.n"
_ROOTS = _UP + "SELECT n FROM up JOIN thread USING (n) WHERE parent IS NULL ORDER BY messages DESC, n"
_NEW = "INSERT INTO thread (messages) VALUES (0) RETURNING n"
_JOIN = (
    """
    UPDATE thread SET messages = (SELECT sum(messages) FROM thread
        WHERE n = %(thread)s OR n = ANY (%(others)s)) WHERE n = %(thread)s
    """,
    "UPDATE thread SET parent = %(thread)s WHERE n = ANY (%(others)s)",
    """
    INSERT INTO participant (thread, address)
    SELECT DISTINCT %(thread)s::bigint, address FROM participant WHERE thread = ANY (%(others)s)
    ON CONFLICT DO NOTHING
    """,
    "DELETE FROM participant WHERE thread = ANY (%(others)s)",
)
_ENTER = (
    """
    WITH new AS (
        INSERT INTO thread_message (digest, thread)
        SELECT digest, %(thread)s FROM unnest(%(digests)s::bigint[]) AS digest
        ON CONFLICT DO NOTHING RETURNING digest
    )
    UPDATE thread SET messages = messages + (SELECT count(*) FROM new) WHERE n = %(thread)s
    """,
    """
    INSERT INTO participant (thread, address)
    SELECT %(thread)s, address FROM unnest(%(people)s::text[]) AS address
    WHERE (SELECT count(*) FROM participant WHERE thread = %(thread)s) < %(most)s
    ON CONFLICT DO NOTHING
    """,
)


class PostgresMemory(Threads):
    """What was learnt from mail that really left, by whichever guard."""

    def __init__(self, database: SharedDatabase) -> None:
        super().__init__(
            participants=lambda digests: database.read(_participants, digests),
            learn=lambda lesson: database.write(_learn_all, lesson),
            erase=lambda address: database.write(_erase, address),
        )


async def _participants(connection: Connection, digests: Sequence[int]) -> frozenset[str]:
    found = await connection.execute(_PARTICIPANTS, (list(digests),))
    return frozenset(address for (address,) in await found.fetchall())


async def _learn_all(connection: Connection, lessons: Sequence[Lesson]) -> list[None]:
    await connection.execute(_LOCK)
    for lesson in lessons:
        found = await connection.execute(_ROOTS, (list(lesson.digests),))
        thread = await _joined(connection, [number for (number,) in await found.fetchall()])
        values = {
            "thread": thread,
            "digests": list(lesson.digests),
            "people": list(lesson.people),
            "most": threads.MOST_PARTICIPANTS,
        }
        for statement in _ENTER:
            await connection.execute(statement, values)
    return [None] * len(lessons)


async def _joined(connection: Connection, roots: Sequence[int]) -> int:
    """Make one thread of these, or a new one where there is none."""
    if not roots:
        row = await (await connection.execute(_NEW)).fetchone()
        return int(row[0]) if row else 0
    if len(roots) > 1:
        for statement in _JOIN:
            await connection.execute(statement, {"thread": roots[0], "others": list(roots[1:])})
    return roots[0]


async def _erase(connection: Connection, addresses: Sequence[str]) -> list[None]:
    await connection.execute(_LOCK)
    await connection.execute("DELETE FROM participant WHERE address = ANY (%s)", (list(addresses),))
    return [None] * len(addresses)
