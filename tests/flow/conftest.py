"""The use cases on a fresh store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailguard.edge.store import Database
from tests.edge.store.samples import RecordingLog
from tests.flow.parts import Parts, opened


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """Everything joined, on a store of its own."""
    async with opened(tmp_path) as joined:
        yield joined


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A store's database, for use cases that need nothing else."""
    opened_database = await Database.open(tmp_path / "alone.db", log=RecordingLog())
    yield opened_database
    await opened_database.close()
