"""ports.Records on SQLite: the log of what was observed, in the queue's database.

A row is a few hundred bytes. What is erased is overwritten in the file, as all that the store forgets.
"""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mailguard.core.recall.observation import decode, encode, without
from mailguard.edge.store.sqlite import Database
from mailguard.ports import Entry

# Rows of one step of erasing or forgetting: some ten milliseconds, in which nobody else can write.
AT_ONCE = 2000
_INSERT = """
    INSERT OR IGNORE INTO observation (at, mark, score, judged_by, content) VALUES (?, ?, ?, ?, ?)
"""
# What a mail's entry weighs beside messages when writes are put together.
_WEIGHT = 512


_Row = tuple[int, int, int, float | None, int | None, bytes]


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: Sequence[tuple[int, int, float | None, int | None, bytes]]
    source: str
    place: str


@dataclass(frozen=True, slots=True)
class _Erasing:
    address: str
    after: int


class SqliteRecords:
    """What was observed and what was meant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entries: Sequence[Entry], *, source: str = "", place: str = "") -> Sequence[int]:
        """Add those that are new; the number of each in the log, 0 for one that was known."""
        rows = [
            (one.observation.when, one.mark, one.score, one.judged_by, encode(one.observation))
            for one in entries
        ]
        batch = _Batch(rows, source, place)
        return await self._database.write(_append, batch, weight=_WEIGHT * len(rows))

    async def latest(self) -> int:
        """The greatest number in the log; 0 where it is empty."""
        return await self._database.read(_latest)

    async def read(self, after: tuple[int, int], upto: int, limit: int) -> Sequence[Entry]:
        """The next entries by their time and then their number."""
        while rows := await self._database.read(_read, after, upto, limit):
            # A hundred thousand of them are read after a start: not on the event loop.
            found = await asyncio.to_thread(self._decoded, rows)
            if found:
                return found
            # All of these are unreadable, and not the last.
            number, when, *_ = rows[-1]
            after = (when, number)
        return []

    async def since(self, number: int, limit: int) -> Sequence[Entry]:
        """The entries after this number, in the order in which they came."""
        return self._decoded(await self._database.read(_since, number, limit))

    async def erased(self) -> int:
        """Always 0: there is no other guard that could have erased anybody."""
        return 0

    def _decoded(self, rows: Sequence[_Row]) -> list[Entry]:
        found = []
        for number, _, mark, score, judged_by, content in rows:
            try:
                observation = decode(content)
            except ValueError as error:
                self._database.log.trouble("record_unreadable", number=number, fault=str(error))
                continue
            found.append(
                Entry(number=number, mark=mark, observation=observation, score=score, judged_by=judged_by)
            )
        return found

    async def place(self, source: str) -> str | None:
        """How far the reader of a source got."""
        return await self._database.read(_place, source)

    async def all_read(self, sources: Collection[str]) -> None:
        """The readers of these sources have come to the end; the next ones begin anew."""
        await self._database.write(_all_read, list(sources))

    async def forget(self, before: int) -> int:
        """Remove what is older (seconds since 1970); how many there were."""
        total = 0
        while gone := await self._database.write(_forget, before):
            total += gone
        return total

    async def erase(self, address: str) -> int:
        """Take a person out of everything that is recorded; how many entries had him."""
        total, after = await self._database.write(_disown, address), 0
        latest = await self.latest()
        while after < latest:
            total += await self._database.write(_erase, _Erasing(address, after))
            after += AT_ONCE
        return total

    async def add_meant(self, person: str, reasons: Collection[tuple[str, str]]) -> None:
        """A person said yes: to findings of these codes about these addresses."""
        rows = [(person, code, address) for code, address in reasons]
        if rows:
            await self._database.write(_mean, rows)

    async def meant(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """All that was said yes to, by person."""
        found: dict[str, set[tuple[str, str]]] = {}
        for person, code, address in await self._database.read(_meant):
            found.setdefault(person, set()).add((code, address))
        return {person: frozenset(reasons) for person, reasons in found.items()}


def _append(connection: sqlite3.Connection, batches: Sequence[_Batch]) -> list[list[int]]:
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


def _read(connection: sqlite3.Connection, after: tuple[int, int], upto: int, limit: int) -> list[_Row]:
    return connection.execute(
        """
        SELECT n, at, mark, score, judged_by, content FROM observation INDEXED BY observation_at
        WHERE (at, n) > (?, ?) AND n <= ? ORDER BY at, n LIMIT ?
        """,
        (*after, upto, limit),
    ).fetchall()


def _since(connection: sqlite3.Connection, number: int, limit: int) -> list[_Row]:
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
            (before, AT_ONCE),
        ).rowcount
        for before in asked
    ]


def _disown(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[int]:
    return [
        connection.execute("DELETE FROM meant WHERE person = ?1 OR address = ?1", (address,)).rowcount
        for address in addresses
    ]


def _erase(connection: sqlite3.Connection, steps: Sequence[_Erasing]) -> list[int]:
    return [_erase_some(connection, step) for step in steps]


def _erase_some(connection: sqlite3.Connection, step: _Erasing) -> int:
    """Only what has the address's bytes somewhere is taken apart; it may be a part of another address."""
    sought = step.address.encode("utf-8", "surrogatepass")
    rows = connection.execute(
        "SELECT n, content FROM observation WHERE n > ? AND n <= ? AND instr(content, ?)",
        (step.after, step.after + AT_ONCE, sought),
    ).fetchall()
    touched = 0
    for number, content in rows:
        left = left_of(content, step.address)
        if left is None:
            connection.execute("DELETE FROM observation WHERE n = ?", (number,))
        elif left != content:
            connection.execute("UPDATE observation SET content = ? WHERE n = ?", (left, number))
        touched += left != content
    return touched


def left_of(content: bytes, address: str) -> bytes | None:
    """An entry without a person; None where nothing is left of it."""
    try:
        observation = decode(content)
    except ValueError:
        # Nobody can read it, and it may name him.
        return None
    left = without(observation, address)
    if left is observation:
        return content
    return None if left is None else encode(left)


def _mean(connection: sqlite3.Connection, jobs: Sequence[Sequence[tuple[str, str, str]]]) -> list[None]:
    for rows in jobs:
        connection.executemany(
            "INSERT OR IGNORE INTO meant (person, code, address) VALUES (?, ?, ?)",
            [tuple(map(_storable, row)) for row in rows],
        )
    return [None] * len(jobs)


def _meant(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("SELECT person, code, address FROM meant").fetchall()


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
