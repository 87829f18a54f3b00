"""Many rows by one statement: exact, in their order, and prepared once whatever the values are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailguard.edge.store.bulk import LARGEST_CHUNK
from mailguard.edge.store.postgres.bulk import RowsStatement, Values, array, byte_array
from mailguard.edge.store.postgres.database import Connection, SharedDatabase

PUT = RowsStatement(
    head="INSERT INTO odd (n, at, text, bytes, yes)",
    types=("bigint", "timestamptz", "text", "bytea", "boolean"),
)
CHANGE = RowsStatement(
    head="UPDATE odd SET text = v.text FROM",
    types=("bigint", "text"),
    tail="AS v (n, text) WHERE odd.n = v.n",
)
NOW = datetime(2026, 11, 22, 10, 0, 0, 123456, UTC)


async def table(connection: Connection) -> None:
    await connection.execute(
        """
        CREATE TABLE odd (
            place integer GENERATED ALWAYS AS IDENTITY,
            n bigint, at timestamptz, text text, bytes bytea, yes boolean
        )
        """
    )


async def rows_of(connection: Connection) -> list[Values]:
    asked = await connection.execute("SELECT n, at, text, bytes, yes FROM odd ORDER BY place", binary=True)
    return await asked.fetchall()


async def test_every_value_comes_back_as_it_was(database: SharedDatabase) -> None:
    await database.read(table)
    odd: list[Values] = [
        (0, NOW, "", b"", True),
        (-1, None, None, None, None),
        (1 << 40, NOW.astimezone(timezone(timedelta(hours=5))), "'; {\\\"$1\u2028", b"\0\xff'\\", False),
    ]
    await database.read(PUT.run, odd)
    assert await database.read(rows_of) == odd


@pytest.mark.parametrize("count", [0, 1, 3, 2 * LARGEST_CHUNK + 7])
async def test_all_of_them_in_their_order(database: SharedDatabase, count: int) -> None:
    await database.read(table)
    many = [(n, NOW, str(n), b"x", n % 2 == 0) for n in range(count)]
    await database.read(PUT.run, many)
    assert [row[0] for row in await database.read(rows_of)] == list(range(count))
    await database.read(CHANGE.run, [(n, f"new {n}") for n in range(0, count, 2)])
    assert [row[2] for row in await database.read(rows_of)] == [
        f"new {n}" if n % 2 == 0 else str(n) for n in range(count)
    ]


async def test_a_statement_is_prepared_once_whatever_its_values_are(database: SharedDatabase) -> None:
    await database.read(table)

    async def often(connection: Connection) -> int:
        for n in range(40):
            # Numbers of every size, and now and then nothing.
            known = n % 3 == 0
            row = (1 << n, NOW if known else None, "x" if known else None, b"x", known)
            await PUT.run(connection, [row])
        asked = await connection.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%INTO odd%'", prepare=False
        )
        return int((await asked.fetchone() or (0,))[0])

    assert await database.read(often) == 1


async def test_arrays_as_text(database: SharedDatabase) -> None:
    async def asked(connection: Connection) -> Values | None:
        values = (array([]), array([1, -5, 1 << 40]), byte_array([]), byte_array([b"", b"\0'\"\\\xff"]))
        found = await connection.execute(
            "SELECT %s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[]", values, binary=True
        )
        return await found.fetchone()

    assert await database.read(asked) == ([], [1, -5, 1 << 40], [], [b"", b"\0'\"\\\xff"])
