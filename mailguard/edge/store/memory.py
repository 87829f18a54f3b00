"""ports.Memory on SQLite: which messages make one thread, and who takes part in it.

Threads are sets that grow together: a message joins all threads that it names into one (union-find). Of a
message only a digest of its Message-ID is kept, of a person the address.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from mailguard.core.facts import Thread
from mailguard.edge.store.bulk import listed
from mailguard.edge.store.sqlite import Database

# A header can name thousands of messages; the first of a thread and the newest tell enough.
MOST_IDS = 100
# Per message and per thread: what comes on top is not learnt, so that no look-up is ever long.
MOST_PARTICIPANTS = 5000


@dataclass(frozen=True, slots=True)
class _Lesson:
    digests: Sequence[int]
    participants: Sequence[str]


class SqliteMemory:
    """What was learnt from mail that really left; it shares the queue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        """Who took part in the threads that these ids lead to. Raises StoreError."""
        digests = digests_of(message_ids)
        if not digests:
            return Thread()
        return Thread(participants=await self._database.read(_participants, digests))

    async def learn(self, message_id: str, answers: Sequence[str], participants: Sequence[str]) -> None:
        """A message left: join the threads of the ids it answers, and take in its people (normal forms).
        Raises StoreError."""
        digests = digests_of((*answers, message_id))
        people = [_storable(one) for one in participants[:MOST_PARTICIPANTS] if one]
        if digests:
            await self._database.write(_learn_all, _Lesson(digests, people))

    async def erase(self, address: str) -> None:
        """Take a person (normal form) out of every thread. Raises StoreError."""
        await self._database.write(_erase, _storable(address))


def digests_of(message_ids: Sequence[str]) -> list[int]:
    """What is kept of these Message-IDs, the first and the newest where they are many."""
    named = list(dict.fromkeys(one for one in message_ids if one))
    if len(named) > MOST_IDS:
        named = [named[0], *named[-(MOST_IDS - 1) :]]
    return [_digest(one) for one in named]


def _digest(message_id: str) -> int:
    digest = hashlib.blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


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


def _learn_all(connection: sqlite3.Connection, lessons: Sequence[_Lesson]) -> list[None]:
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


def _enter(connection: sqlite3.Connection, thread: int, lesson: _Lesson) -> None:
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
        {"thread": thread, "people": listed(lesson.participants), "most": MOST_PARTICIPANTS},
    )


def _erase(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[None]:
    for address in addresses:
        connection.execute("DELETE FROM participant WHERE address = ?", (address,))
    return [None] * len(addresses)
