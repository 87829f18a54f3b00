"""Who is signed in and who holds a token, on PostgreSQL."""

import pytest

from mailguard.edge.store.postgres import PostgresSessions, PostgresTokens, SharedDatabase
from tests.edge.store.contract_access import SessionsContract, TokensContract


@pytest.fixture
def sessions(database: SharedDatabase) -> PostgresSessions:
    return PostgresSessions(database)


@pytest.fixture
def tokens(database: SharedDatabase) -> PostgresTokens:
    return PostgresTokens(database)


class TestSessions(SessionsContract):
    """The contract."""


class TestTokens(TokensContract):
    """The contract."""
