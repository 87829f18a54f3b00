"""The log of what was observed on SQLite: the contract, and bytes that are gone when they are to be gone."""

import sqlite3
from pathlib import Path

import pytest

from mailguard.edge.store import logbook
from mailguard.edge.store.records import SqliteRecords
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract_records import BOB, RecordsContract, entry, whole
from tests.edge.store.samples import RecordingLog


@pytest.fixture
def records(database: Database) -> SqliteRecords:
    """An empty log."""
    return SqliteRecords(database)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a handful of entries takes more than one step."""
    monkeypatch.setattr(logbook, "AT_ONCE", 2)


class TestRecords(RecordsContract):
    """What every log must do."""


async def test_the_bytes_of_a_person_are_gone(records: SqliteRecords, database: Database) -> None:
    await records.append([entry(1, 1, BOB, "carl@corp.example"), entry(4, 4, "xbob@client.example")])
    await records.erase(BOB)
    await database.close()
    file = Path(database.path)
    kept = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert kept.replace(b"xbob@", b"").count(b"bob@client.example") == 0


async def test_a_damaged_entry_is_passed_over(
    records: SqliteRecords, database: Database, log: RecordingLog
) -> None:
    await records.append([entry(number, number) for number in range(1, 6)])
    await database.write(_damage, None)
    assert [one.mark for one in await whole(records, chunk=1)] == [1, 5]
    assert await records.erase(BOB) == 2


def _damage(connection: sqlite3.Connection, jobs: object) -> list[None]:
    connection.execute("UPDATE observation SET content = x'00' WHERE n IN (2, 3, 4)")
    return [None]
