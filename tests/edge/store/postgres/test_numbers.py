"""Numbers come by the block, grow, and are given once."""

import asyncio

from mailguard.edge.store.postgres import SharedDatabase
from mailguard.edge.store.postgres.numbers import BLOCK, Numbers


async def taken(database: SharedDatabase, numbers: Numbers, count: int) -> list[int]:
    await database.read(numbers.need, count)
    return [numbers.take() for _ in range(count)]


async def test_each_is_given_once_and_they_grow(database: SharedDatabase) -> None:
    numbers, others = Numbers(), Numbers()
    mine, theirs = [], []
    for count in (1, 3, BLOCK - 1, 2 * BLOCK + 5, 1):
        mine += await taken(database, numbers, count)
        theirs += await taken(database, others, count)
    assert mine == sorted(mine)
    assert len(set(mine) | set(theirs)) == len(mine) + len(theirs)


async def test_two_lanes_at_the_same_time(database: SharedDatabase) -> None:
    numbers = Numbers()
    found = await asyncio.gather(*(taken(database, numbers, 40) for _ in range(20)))
    assert len({number for some in found for number in some}) == 800
