"""Marks on SQLite: the contract, and a look-up that costs nothing."""

import asyncio
import sqlite3
from functools import partial

import pytest

from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract_resubmission import Marks, ResubmissionContract, add
from tests.edge.store.samples import ids, numbered
from tests.making import message


@pytest.fixture
def marks(database: Database) -> Marks:
    """How many marks are kept."""

    async def count() -> int:
        [(found,)] = await database.read(lambda c: c.execute("SELECT count(*) FROM submission").fetchall())
        return int(found)

    return count


class TestResubmission(ResubmissionContract):
    """What every store must do with a second try."""


async def test_many_that_are_known_cost_the_next_one_nothing(store: SqliteStore, database: Database) -> None:
    async def cost(number: int) -> int:
        counted: list[int] = []
        await database.read(sqlite3.Connection.set_progress_handler, partial(counted.append, 1), 1)
        await add(store, message(id=f"c{number:011}"), 10_000 + number)
        await database.read(sqlite3.Connection.set_progress_handler, None, 1)
        return len(counted)

    few = await cost(1)
    made = numbered(2000)
    await asyncio.gather(*(add(store, one, number) for number, one in enumerate(made)))
    assert await cost(2) <= few + 60
    assert len(ids(made)) == 2000
