"""ports.Memory on SQLite: which messages make one thread, and who takes part in it.

Threads are sets that grow together: a message joins all threads that it names into one (union-find).
"""

import sqlite3
from collections.abc import Sequence

from mailguard.edge.store import threads
from mailguard.edge.store.bulk import listed
from mailguard.edge.store.sqlite import Database
from mailguard.edge.store.threads import Lesson, Threads


class SqliteMemory(Threads):
    """What was learnt from mail that really left; it shares the queue's database."""

    def __init__(self, database: Database) -> None:
        super().__init__(
            participants=lambda digests: database.read(_participants, digests),
            learn=lambda lesson: database.write(_learn_all, lesson),
            erase=lambda address: database.write(_erase, address),
        )


def _participants(connection: sqlite3.Connection, digests: Sequence[int]) -> frozenset[str]:
    found = connection.execute(
        """
        WITH RECURSIVE up (n) AS (
            SELECT thread FROM thread_message WHERE digest IN (SELECT value FROM json_each(?))
            UNION
            SELECT parent FROM up JOIN thread USING (n) WHERE parent IS NOT NULL
        )
        SELECT address FROM up JOIN participant ON participant.thread = up.n
        """,
        (listed(digests),),
    )
    return frozenset(address for (address,) in found.fetchall())


def _learn_all(connection: sqlite3.Connection, lessons: Sequence[Lesson]) -> list[None]:
    for lesson in lessons:
        thread = _joined(connection, _roots(connection, lesson.digests))
        _enter(connection, thread, lesson)
    return [None] * len(lessons)


def _roots(connection: sqlite3.Connection, digests: Sequence[int]) -> list[int]:
    """The threads that these messages are in, the largest first."""
    found = connection.execute(
        """
        WITH RECURSIVE up (n) AS (
            SELECT thread FROM thread_message WHERE digest IN (SELECT value FROM json_each(?))
            UNION
            SELECT parent FROM up JOIN thread USING (n) WHERE parent IS NOT NULL
        )
        SELECT n FROM up JOIN thread USING (n) WHERE parent IS NULL ORDER BY messages DESC, n
        """,
        (listed(digests),),
    )
    return [number for (number,) in found.fetchall()]


def _joined(connection: sqlite3.Connection, roots: Sequence[int]) -> int:
    """Make one thread of these, or a new one where there is none."""
    if not roots:
        return connection.execute("INSERT INTO thread (messages) VALUES (0)").lastrowid or 0
    largest = roots[0]
    if len(roots) > 1:
        values = {"thread": largest, "others": listed(roots[1:])}
        for statement in (
            """
            UPDATE thread SET messages = (SELECT sum(messages) FROM thread
                WHERE n = :thread OR n IN (SELECT value FROM json_each(:others))) WHERE n = :thread
            """,
            "UPDATE thread SET parent = :thread WHERE n IN (SELECT value FROM json_each(:others))",
            """
            INSERT OR IGNORE INTO participant (thread, address) SELECT :thread, address FROM participant
            WHERE thread IN (SELECT value FROM json_each(:others))
            """,
            "DELETE FROM participant WHERE thread IN (SELECT value FROM json_each(:others))",
        ):
            connection.execute(statement, values)
    return largest


def _enter(connection: sqlite3.Connection, thread: int, lesson: Lesson) -> None:
    new = connection.execute(
        "INSERT OR IGNORE INTO thread_message (digest, thread) SELECT value, ? FROM json_each(?)",
        (thread, listed(lesson.digests)),
    ).rowcount
    if new:
        connection.execute("UPDATE thread SET messages = messages + ? WHERE n = ?", (new, thread))
    connection.execute(
        """
        INSERT OR IGNORE INTO participant (thread, address) SELECT :thread, value FROM json_each(:people)
        WHERE (SELECT count(*) FROM participant WHERE thread = :thread) < :most
        """,
        {"thread": thread, "people": listed(lesson.people), "most": threads.MOST_PARTICIPANTS},
    )


def _erase(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[None]:
    for address in addresses:
        connection.execute("DELETE FROM participant WHERE address = ?", (address,))
    return [None] * len(addresses)
