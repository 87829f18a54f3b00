"""The outbox on SQLite: the contract."""

import pytest

from mailguard.edge.store import Database, SqliteOutbox, SqliteStore
from tests.edge.store.contract_outbox import OutboxContract, Telling


@pytest.fixture
def announcer() -> Telling:
    return Telling()


@pytest.fixture
def store(database: Database, announcer: Telling) -> SqliteStore:
    return SqliteStore(database, announcer=announcer)


@pytest.fixture
def outbox(database: Database) -> SqliteOutbox:
    return SqliteOutbox(database)


class TestOutbox(OutboxContract):
    """The contract of the outbox."""
