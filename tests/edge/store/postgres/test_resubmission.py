"""Marks on PostgreSQL: the contract, and a second try at another guard."""

import asyncio
from dataclasses import replace

import pytest

from mailguard.edge.store.postgres import Lease, PostgresStore, SharedDatabase
from mailguard.ports import First
from tests.edge.store.contract_resubmission import Marks, ResubmissionContract, mark
from tests.edge.store.samples import RecordingLog, new, numbered


@pytest.fixture
def marks(database: SharedDatabase) -> Marks:
    """How many marks are kept."""

    async def count() -> int:
        asked = await database.read(lambda c: c.execute("SELECT count(*) FROM submission"))
        return int((await asked.fetchone() or (0,))[0])

    return count


class TestResubmission(ResubmissionContract):
    """What every store must do with a second try."""


async def test_of_two_at_two_guards_at_the_same_instant_one_is_the_first(url: str, log: RecordingLog) -> None:
    guards = [await SharedDatabase.open(url, log=log) for _ in range(2)]
    stores = [PostgresStore(guard, lease=Lease(guard, name="a")) for guard in guards]
    made = numbered(40)
    again = [replace(one, id="r" + one.id[1:]) for one in made]
    both = [
        (stores[number % 2].add(new(one), mark(number)), stores[1 - number % 2].add(new(two), mark(number)))
        for number, (one, two) in enumerate(zip(made, again, strict=True))
    ]
    results = await asyncio.gather(*(job for pair in both for job in pair))
    for number in range(len(made)):
        first, second = results[2 * number : 2 * number + 2]
        # One was put in, and the other is told of it.
        assert sorted([first is None, second is None]) == [False, True], number
        told = second if first is None else first
        assert isinstance(told, First)
        assert told.id == (made if first is None else again)[number].id
    for store in stores:
        await store.close()
