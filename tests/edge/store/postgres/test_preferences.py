"""The preferences on PostgreSQL: the contract, and that all guards know of them."""

import pytest

from mailguard.core.preference import Preference
from mailguard.edge.store.postgres import PostgresPreferences, SharedDatabase
from tests.edge.store.contract_preferences import FRENCH, PreferencesContract


@pytest.fixture
def preferences(database: SharedDatabase) -> PostgresPreferences:
    return PostgresPreferences(database)


class TestPreferences(PreferencesContract):
    """The contract."""


async def test_what_is_said_to_one_guard_the_others_know(database: SharedDatabase) -> None:
    one, two = PostgresPreferences(database), PostgresPreferences(database)
    assert await two.of("anne") == Preference()
    await one.set("anne", FRENCH)
    assert await two.of("anne") == FRENCH
