"""ports.Outbox on SQLite: news that is to be told outside, in the queue's database.

What belongs to a change of a message is written with it (messages.py, steps.py); here is the rest. A row that
was given up has no time to be tried again.
"""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from mailguard.core.news import Backlog, Dispatch, Pending, Topic
from mailguard.core.value import dataclass
from mailguard.edge.store import rows
from mailguard.edge.store.bulk import Row, listed
from mailguard.edge.store.sqlite import Database

_PUT = """
    INSERT OR IGNORE INTO outbox (id, target, topic, at, next_at, attempts, fault, content)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


_Found = tuple[int, int, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Taking:
    target: str
    now: str
    until: str
    limit: int


class SqliteOutbox:
    """News that is to be told outside."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, dispatches: Sequence[Dispatch]) -> None:
        """Add news that belongs to no change of a message."""
        await self._database.write(_put, [row(dispatch) for dispatch in dispatches])

    async def begin(self, targets: Collection[str], now: datetime) -> int:
        """A guard starts: drop news for other targets; all that waits is due now."""
        return await self._database.write(_begin, (listed(targets), rows.time(now)))

    async def take(self, target: str, now: datetime, until: datetime, limit: int) -> Sequence[Pending]:
        """What is due for a target, oldest first, put off `until` then."""
        taking = _Taking(target, rows.time(now), rows.time(until), limit)
        found = await self._database.write(_take, taking, vital=True)
        return [_pending(one) for one in found]

    async def done(self, number: int) -> None:
        """It was told."""
        await self._database.write(_done, number, vital=True)

    async def failed(self, number: int, fault: str, again: datetime | None) -> None:
        """It was not told, and why; to be tried `again`, or given up."""
        due = None if again is None else rows.time(again)
        await self._database.write(_failed, (fault, due, number), vital=True)

    async def next_due(self, target: str) -> datetime | None:
        """When something for this target is to be sent."""
        found = await self._database.read(_next_due, target)
        return None if found is None else rows.moment(found)

    async def backlog(self, target: str) -> Backlog:
        """How it stands with a target."""
        waiting, given_up, fault = await self._database.read(_backlog, target)
        return Backlog(waiting=waiting, given_up=given_up, fault=fault or "")

    async def forget(self, before: datetime) -> int:
        """Remove what was given up and is older."""
        return await self._database.write(_forget, rows.time(before))


def row(dispatch: Dispatch) -> Row:
    """The row of a piece of news, due at once."""
    at = rows.time(dispatch.at)
    return (dispatch.id, dispatch.target, dispatch.topic.value, at, at, 0, "", dispatch.content)


def _pending(found: _Found) -> Pending:
    number, attempts, id, target, topic, at, content = found
    dispatch = Dispatch(id=id, target=target, topic=Topic(topic), at=rows.moment(at), content=content)
    return Pending(number=number, attempts=attempts, dispatch=dispatch)


def _put(connection: sqlite3.Connection, jobs: Sequence[Sequence[Row]]) -> list[None]:
    for news in jobs:
        connection.executemany(_PUT, news)
    return [None] * len(jobs)


def _begin(connection: sqlite3.Connection, jobs: Sequence[tuple[str, str]]) -> list[int]:
    return [_begin_one(connection, targets, now) for targets, now in jobs]


def _begin_one(connection: sqlite3.Connection, targets: str, now: str) -> int:
    dropped = connection.execute(
        "DELETE FROM outbox WHERE target NOT IN (SELECT value FROM json_each(?))", (targets,)
    )
    connection.execute("UPDATE outbox SET next_at = ? WHERE next_at IS NOT NULL", (now,))
    return dropped.rowcount


def _take(connection: sqlite3.Connection, jobs: Sequence[_Taking]) -> list[list[_Found]]:
    return [_take_some(connection, job) for job in jobs]


def _take_some(connection: sqlite3.Connection, job: _Taking) -> list[_Found]:
    found: list[_Found] = connection.execute(
        """
        SELECT n, attempts, id, target, topic, at, content FROM outbox INDEXED BY outbox_due
        WHERE target = ? AND next_at IS NOT NULL AND next_at <= ? ORDER BY next_at, n LIMIT ?
        """,
        (job.target, job.now, job.limit),
    ).fetchall()
    connection.executemany(
        "UPDATE outbox SET attempts = attempts + 1, next_at = ? WHERE n = ?",
        [(job.until, number) for number, *_ in found],
    )
    return found


def _done(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[None]:
    connection.executemany("DELETE FROM outbox WHERE n = ?", [(number,) for number in numbers])
    return [None] * len(numbers)


def _failed(connection: sqlite3.Connection, jobs: Sequence[tuple[str, str | None, int]]) -> list[None]:
    connection.executemany("UPDATE outbox SET fault = ?, next_at = ? WHERE n = ?", jobs)
    return [None] * len(jobs)


def _next_due(connection: sqlite3.Connection, target: str) -> str | None:
    found = connection.execute(
        "SELECT min(next_at) FROM outbox INDEXED BY outbox_due WHERE target = ? AND next_at IS NOT NULL",
        (target,),
    ).fetchone()
    return None if found[0] is None else str(found[0])


def _backlog(connection: sqlite3.Connection, target: str) -> tuple[int, int, str | None]:
    waiting, given_up = connection.execute(
        "SELECT count(next_at), count(*) - count(next_at) FROM outbox WHERE target = ?", (target,)
    ).fetchone()
    last = connection.execute(
        "SELECT fault FROM outbox WHERE target = ? AND fault <> '' ORDER BY n DESC LIMIT 1", (target,)
    ).fetchone()
    return waiting, given_up, None if last is None else last[0]


def _forget(connection: sqlite3.Connection, asked: Sequence[str]) -> list[int]:
    return [
        connection.execute("DELETE FROM outbox WHERE next_at IS NULL AND at < ?", (before,)).rowcount
        for before in asked
    ]
