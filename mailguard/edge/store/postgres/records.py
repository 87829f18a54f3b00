"""ports.Records on PostgreSQL: the log of what was observed, by whichever guard."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from psycopg import AsyncConnection

from mailguard.edge.store import logbook
from mailguard.edge.store.logbook import Batch, Erasing, Row
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.text import storable
from mailguard.ports import Entry

Connection = AsyncConnection[tuple[Any, ...]]

# Numbers are given in the order of the commits, so that a guard that has read up to one has missed none.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('mailguard records', 0))"
_INSERT = """
    INSERT INTO observation (n, at, mark, score, judged_by, content)
    SELECT nextval('observation_number'), at, mark, score, judged_by, content FROM (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::double precision[], %s::bigint[], %b::bytea[])
            WITH ORDINALITY AS given (at, mark, score, judged_by, content, place)
        WHERE NOT EXISTS (SELECT FROM observation AS known WHERE known.mark = given.mark)
        ORDER BY place
    ) AS new RETURNING mark, n
"""
_PLACE = """
    INSERT INTO learning (source, place) VALUES (%s, %s)
    ON CONFLICT (source) DO UPDATE SET place = excluded.place
"""
_COLUMNS = "n, at, mark, score, judged_by, content"


class PostgresRecords:
    """What was observed and what was meant."""

    def __init__(self, database: SharedDatabase) -> None:
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
        """The entries after this number, in the order in which they came, of whichever guard."""
        return logbook.decoded(await self._database.read(_since, number, limit), self._database.log)

    async def erased(self) -> int:
        """How often somebody was erased."""
        return await self._database.read(_erased)

    async def place(self, source: str) -> str | None:
        """How far the reader of a source got."""
        return await self._database.read(_place, storable(source))

    async def all_read(self, sources: Collection[str]) -> None:
        """The readers of these sources have come to the end; the next ones begin anew."""
        await self._database.read(_all_read, [storable(source) for source in sources])

    async def forget(self, before: int) -> int:
        """Remove what is older (seconds since 1970); how many there were."""
        total = 0
        while gone := await self._database.read(_forget, before):
            total += gone
        return total

    async def erase(self, address: str) -> int:
        """Take a person out of everything that is recorded; how many entries had him."""
        meant = await self._database.read(_disown, storable(address))
        erase = partial(self._database.write, _erase)
        logged = await logbook.all_steps(address, await self.latest(), erase)
        await self._database.read(_note_erased)
        return meant + logged

    async def add_meant(self, person: str, reasons: Collection[tuple[str, str]]) -> None:
        """A person said yes: to findings of these codes about these addresses."""
        rows = [(storable(person), storable(code), storable(address)) for code, address in reasons]
        if rows:
            await self._database.write(_mean, rows)

    async def meant(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """All that was said yes to, by person."""
        return logbook.by_person(await self._database.read(_meant))


async def _append(connection: Connection, batches: Sequence[Batch]) -> list[list[int]]:
    await connection.execute(_LOCK)
    results = []
    for batch in batches:
        numbers: dict[int, int] = {}
        # Two copies of one mail in one batch are one.
        rows = list({row[1]: row for row in reversed(batch.rows)}.values())[::-1]
        if rows:
            added = await connection.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])
            numbers = dict(await added.fetchall())
        if batch.source:
            await connection.execute(_PLACE, (batch.source, batch.place))
        results.append([numbers.pop(row[1], 0) for row in batch.rows])
    return results


async def _latest(connection: Connection) -> int:
    row = await (await connection.execute("SELECT coalesce(max(n), 0) FROM observation")).fetchone()
    return int(row[0]) if row else 0


async def _read(connection: Connection, after: tuple[int, int], upto: int, limit: int) -> list[Row]:
    found = await connection.execute(
        f"SELECT {_COLUMNS} FROM observation WHERE (at, n) > (%s, %s) AND n <= %s ORDER BY at, n LIMIT %s",
        (*after, upto, limit),
        binary=True,
    )
    return await found.fetchall()


async def _since(connection: Connection, number: int, limit: int) -> list[Row]:
    found = await connection.execute(
        f"SELECT {_COLUMNS} FROM observation WHERE n > %s ORDER BY n LIMIT %s", (number, limit), binary=True
    )
    return await found.fetchall()


async def _place(connection: Connection, source: str) -> str | None:
    asked = await connection.execute("SELECT place FROM learning WHERE source = %s", (source,))
    row = await asked.fetchone()
    return None if row is None else str(row[0])


async def _all_read(connection: Connection, sources: list[str]) -> None:
    await connection.execute("DELETE FROM learning WHERE source = ANY (%s)", (sources,))


async def _forget(connection: Connection, before: int) -> int:
    gone = await connection.execute(
        """
        DELETE FROM observation WHERE n IN (
            SELECT n FROM observation WHERE at < %s LIMIT %s
        )
        """,
        (before, logbook.AT_ONCE),
    )
    return gone.rowcount


async def _erased(connection: Connection) -> int:
    row = await (await connection.execute("SELECT erased FROM installation")).fetchone()
    return int(row[0]) if row else 0


async def _disown(connection: Connection, address: str) -> int:
    gone = await connection.execute(
        "DELETE FROM meant WHERE person = %(who)s OR address = %(who)s", {"who": address}
    )
    return gone.rowcount


async def _erase(connection: Connection, steps: Sequence[Erasing]) -> list[int]:
    return [await _erase_some(connection, step) for step in steps]


async def _erase_some(connection: Connection, step: Erasing) -> int:
    """Only what has the address's bytes somewhere is taken apart; it may be a part of another address."""
    asked = await connection.execute(
        "SELECT n, content FROM observation WHERE n > %s AND n <= %s AND position(%b::bytea IN content) > 0",
        (step.after, step.last, step.sought),
        binary=True,
    )
    touched = 0
    for number, content in await asked.fetchall():
        left = logbook.left_of(content, step.address)
        if left is None:
            await connection.execute("DELETE FROM observation WHERE n = %s", (number,))
        elif left != content:
            await connection.execute("UPDATE observation SET content = %b WHERE n = %s", (left, number))
        touched += left != content
    return touched


async def _note_erased(connection: Connection) -> None:
    await connection.execute("UPDATE installation SET erased = erased + 1")


async def _mean(connection: Connection, jobs: Sequence[Sequence[tuple[str, str, str]]]) -> list[None]:
    # In one order, so that two guards that are told the same do not wait for one another.
    rows = sorted({row for rows in jobs for row in rows})
    await connection.execute(
        """
        INSERT INTO meant (person, code, address)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )
    return [None] * len(jobs)


async def _meant(connection: Connection) -> list[tuple[str, str, str]]:
    return await (await connection.execute("SELECT person, code, address FROM meant")).fetchall()
