"""Who is signed in and who holds a token, on SQLite: the contract, and that the file opens no door."""

import pytest

from mailguard.edge.store.access import SqliteSessions, SqliteTokens
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract_access import SessionsContract, TokensContract


@pytest.fixture
def sessions(database: Database) -> SqliteSessions:
    return SqliteSessions(database)


@pytest.fixture
def tokens(database: Database) -> SqliteTokens:
    return SqliteTokens(database)


class TestSessions(SessionsContract):
    """The contract."""


class TestTokens(TokensContract):
    """The contract."""
