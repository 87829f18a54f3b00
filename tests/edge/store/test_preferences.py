"""The preferences on SQLite: the contract, and that they outlive the guard."""

from pathlib import Path

import pytest

from mailguard.core.preference import Preference
from mailguard.edge.store.preferences import SqlitePreferences
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract_preferences import FRENCH, SILENT, PreferencesContract
from tests.edge.store.samples import RecordingLog


@pytest.fixture
def preferences(database: Database) -> SqlitePreferences:
    return SqlitePreferences(database)


class TestPreferences(PreferencesContract):
    """The contract."""


async def test_they_are_there_after_a_start(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
    await SqlitePreferences(database).set("anne", FRENCH)
    await SqlitePreferences(database).set("bob", SILENT)
    await database.close()
    database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
    fresh = SqlitePreferences(database)
    # A choice before the first question does not hide the others.
    await fresh.set("bob", FRENCH)
    assert [await fresh.of("anne"), await fresh.of("bob")] == [FRENCH, FRENCH]
    await database.close()


async def test_what_a_newer_guard_wrote_is_no_choice_here(
    database: Database, preferences: SqlitePreferences
) -> None:
    await database.read(
        lambda c: c.execute("INSERT INTO preference VALUES ('anne', 'tlh', 'sometimes')").fetchall()
    )
    assert await preferences.of("anne") == Preference()
