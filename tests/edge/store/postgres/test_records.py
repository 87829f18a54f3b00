"""The log of what was observed on PostgreSQL: the contract, and many guards that write to it."""

import asyncio

import pytest

from mailguard.edge.store import logbook
from mailguard.edge.store.postgres import PostgresRecords, SharedDatabase
from tests.edge.store.contract_records import BOB, RecordsContract, entry, whole
from tests.edge.store.samples import RecordingLog


@pytest.fixture
def records(database: SharedDatabase) -> PostgresRecords:
    """An empty log."""
    return PostgresRecords(database)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a handful of entries takes more than one step."""
    monkeypatch.setattr(logbook, "AT_ONCE", 2)


class TestRecords(RecordsContract):
    """What every log must do."""


async def test_a_damaged_entry_is_passed_over(records: PostgresRecords, database: SharedDatabase) -> None:
    await records.append([entry(number, number) for number in range(1, 6)])
    await database.read(lambda c: c.execute("UPDATE observation SET content = '' WHERE n IN (2, 3, 4)"))
    assert [one.mark for one in await whole(records, chunk=1)] == [1, 5]
    assert [one.mark for one in await records.since(0, 9)] == [1, 5]
    assert await records.erase(BOB) == 2


async def test_an_erasure_is_seen_by_all(records: PostgresRecords) -> None:
    before = await records.erased()
    await records.append([entry(1, 1)])
    assert await records.erased() == before
    await records.erase(BOB)
    assert await records.erased() != before


async def test_who_has_read_up_to_a_number_has_missed_none(url: str, log: RecordingLog) -> None:
    guards = [await SharedDatabase.open(url, log=log) for _ in range(2)]
    logs = [PostgresRecords(guard) for guard in guards]
    seen: list[int] = []

    async def follow() -> None:
        while len(seen) < 60:
            known = max(seen, default=0)
            seen.extend(one.number for one in await logs[0].since(known, 100))

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(follow())
        for number in range(60):
            group.create_task(logs[number % 2].append([entry(number, 1000 - number)]))
    assert seen == sorted(set(seen))
    for guard in guards:
        await guard.close()
