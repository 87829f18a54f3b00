"""ports.Records on SQLite: the log of what was observed, in the queue's database.

A row is a few hundred bytes. What is erased is overwritten in the file, as all that the store forgets.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from mailguard.edge.store import logbook
from mailguard.edge.store.logbook import Batch, Erasing, Row
from mailguard.edge.store.sqlite import Database
from mailguard.edge.store.text import storable
from mailguard.ports import Entry

_INSERT = """
    INSERT OR IGNORE INTO observation (at, mark, score, judged_by, content) VALUES (?, ?, ?, ?, ?)
"""


class SqliteRecords:
    """What was observed and what was meant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entries: Sequence[Entry], *, source: str = "", place: str = "") -> Sequence[int]:
        """Add those that are new; the number of each in the log, 0 for one that was known."""
        batch = logbook.batch(entries, source, place)
        return await self._database.write(_append, batch, weight=batch.weight)

    async def latest(self) -> int:
        """The greatest number in the log; 0 where it is empty."""
        return await self._database.read(_latest)

    async def read(self, after: tuple[int, int], upto: int, limit: int) -> Sequence[Entry]:
        """The next entries by their time and then their number."""
        database = self._database
        return await logbook.next_entries(
            after, lambda place: database.read(_read, place, upto, limit), database.log
        )

    async def since(self, number: int, limit: int) -> Sequence[Entry]:
        """The entries after this number, in the order in which they came."""
        return logbook.decoded(await self._database.read(_since, number, limit), self._database.log)

    async def erased(self) -> int:
        """Always 0: there is no other guard that could have erased anybody."""
        return 0

    async def place(self, source: str) -> str | None:
        """How far the reader of a source got."""
        return await self._database.read(_place, storable(source))

    async def all_read(self, sources: Collection[str]) -> None:
        """The readers of these sources have come to the end; the next ones begin anew."""
        await self._database.write(_all_read, [storable(source) for source in sources])

    async def forget(self, before: int) -> int:
        """Remove what is older (seconds since 1970); how many there were."""
        total = 0
        while gone := await self._database.write(_forget, before):
            total += gone
        return total

    async def erase(self, address: str) -> int:
        """Take a person out of everything that is recorded; how many entries had him."""
        meant = await self._database.write(_disown, storable(address))
        erase = partial(self._database.write, _erase)
        return meant + await logbook.all_steps(address, await self.latest(), erase)

    async def add_meant(self, person: str, reasons: Collection[tuple[str, str]]) -> None:
        """A person said yes: to findings of these codes about these addresses."""
        rows = [(storable(person), storable(code), storable(address)) for code, address in reasons]
        if rows:
            await self._database.write(_mean, rows)

    async def meant(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """All that was said yes to, by person."""
        return logbook.by_person(await self._database.read(_meant))


def _append(connection: sqlite3.Connection, batches: Sequence[Batch]) -> list[list[int]]:
    results = []
    for batch in batches:
        numbers = []
        for row in batch.rows:
            added = connection.execute(_INSERT, row)
            numbers.append(added.lastrowid or 0 if added.rowcount else 0)
        if batch.source:
            connection.execute(
                "INSERT OR REPLACE INTO learning (source, place) VALUES (?, ?)", (batch.source, batch.place)
            )
        results.append(numbers)
    return results


def _latest(connection: sqlite3.Connection) -> int:
    (latest,) = connection.execute("SELECT coalesce(max(n), 0) FROM observation").fetchone()
    return int(latest)


def _read(connection: sqlite3.Connection, after: tuple[int, int], upto: int, limit: int) -> list[Row]:
    return connection.execute(
        """
        SELECT n, at, mark, score, judged_by, content FROM observation INDEXED BY observation_at
        WHERE (at, n) > (?, ?) AND n <= ? ORDER BY at, n LIMIT ?
        """,
        (*after, upto, limit),
    ).fetchall()


def _since(connection: sqlite3.Connection, number: int, limit: int) -> list[Row]:
    return connection.execute(
        "SELECT n, at, mark, score, judged_by, content FROM observation WHERE n > ? ORDER BY n LIMIT ?",
        (number, limit),
    ).fetchall()


def _place(connection: sqlite3.Connection, source: str) -> str | None:
    row = connection.execute("SELECT place FROM learning WHERE source = ?", (source,)).fetchone()
    return None if row is None else str(row[0])


def _all_read(connection: sqlite3.Connection, jobs: Sequence[Sequence[str]]) -> list[None]:
    for sources in jobs:
        connection.executemany("DELETE FROM learning WHERE source = ?", [(source,) for source in sources])
    return [None] * len(jobs)


def _forget(connection: sqlite3.Connection, asked: Sequence[int]) -> list[int]:
    return [
        connection.execute(
            "DELETE FROM observation WHERE n IN (SELECT n FROM observation WHERE at < ? LIMIT ?)",
            (before, logbook.AT_ONCE),
        ).rowcount
        for before in asked
    ]


def _disown(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[int]:
    return [
        connection.execute("DELETE FROM meant WHERE person = ?1 OR address = ?1", (address,)).rowcount
        for address in addresses
    ]


def _erase(connection: sqlite3.Connection, steps: Sequence[Erasing]) -> list[int]:
    return [_erase_some(connection, step) for step in steps]


def _erase_some(connection: sqlite3.Connection, step: Erasing) -> int:
    """Only what has the address's bytes somewhere is taken apart; it may be a part of another address."""
    rows = connection.execute(
        "SELECT n, content FROM observation WHERE n > ? AND n <= ? AND instr(content, ?)",
        (step.after, step.last, step.sought),
    ).fetchall()
    touched = 0
    for number, content in rows:
        left = logbook.left_of(content, step.address)
        if left is None:
            connection.execute("DELETE FROM observation WHERE n = ?", (number,))
        elif left != content:
            connection.execute("UPDATE observation SET content = ? WHERE n = ?", (left, number))
        touched += left != content
    return touched


def _mean(connection: sqlite3.Connection, jobs: Sequence[Sequence[tuple[str, str, str]]]) -> list[None]:
    for rows in jobs:
        connection.executemany(
            "INSERT OR IGNORE INTO meant (person, code, address) VALUES (?, ?, ?)",
            rows,
        )
    return [None] * len(jobs)


def _meant(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("SELECT person, code, address FROM meant").fetchall()
