"""A fresh database for each test of the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract import Gone
from tests.edge.store.samples import RecordingLog


@pytest.fixture
def log() -> RecordingLog:
    """What the database tells of itself."""
    return RecordingLog()


@pytest.fixture
async def database(tmp_path: Path, log: RecordingLog) -> AsyncIterator[Database]:
    """An open database, closed at the end."""
    database = await Database.open(tmp_path / "queue.db", log=log)
    yield database
    await database.close()


@pytest.fixture
def gone() -> Gone:
    """A guard that is gone leaves nothing in the file that would tell that it lives."""

    async def nothing() -> None:
        return

    return nothing


@pytest.fixture
def store(database: Database) -> SqliteStore:
    """The queue in it."""
    return SqliteStore(database)
