"""The memory on SQLite: the contract, and that a thread stays cheap to look up."""

import pytest

from mailguard.edge.store.memory import SqliteMemory
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract_memory import MemoryContract


@pytest.fixture
def memory(database: Database) -> SqliteMemory:
    return SqliteMemory(database)


class TestMemory(MemoryContract):
    """The contract."""


async def test_the_way_up_stays_short(memory: SqliteMemory, database: Database) -> None:
    # The worst order there is: always the oldest and smallest joined last.
    for number in range(64):
        await memory.learn(f"{number}@x", [], [f"p{number}@x"])
    for number in reversed(range(63)):
        await memory.learn(f"j{number}@x", [f"{number}@x", f"{number + 1}@x"], [])
    [(depth,)] = await database.read(
        lambda c: c.execute(
            """
            WITH RECURSIVE down (n, depth) AS (
                SELECT n, 0 FROM thread WHERE parent IS NULL
                UNION ALL SELECT thread.n, depth + 1 FROM down JOIN thread ON thread.parent = down.n
            )
            SELECT max(depth) FROM down
            """
        ).fetchall()
    )
    assert depth <= 7
    assert len((await memory.thread(["0@x"])).participants) == 64
    # They moved up; none is kept twice.
    [(kept,)] = await database.read(lambda c: c.execute("SELECT count(*) FROM participant").fetchall())
    assert kept == 64
