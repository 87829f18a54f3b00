"""The queue on PostgreSQL: the contracts; and that whatever stands for a port has all of it."""

from mailguard.edge.store.postgres import (
    PostgresMemory,
    PostgresOutbox,
    PostgresPreferences,
    PostgresRecords,
    PostgresSessions,
    PostgresStore,
    PostgresTokens,
    SharedDatabase,
)
from mailguard.ports import Holding, Memory, Preferences, Records, Store
from mailguard.ports.access import Sessions, Tokens
from mailguard.ports.outward import Outbox
from tests.edge.store.contract import StoreContract
from tests.edge.store.contract_list import ListContract
from tests.edge.store.contract_races import RaceContract


class TestStore(StoreContract):
    """The contract of one message."""


class TestRaces(RaceContract):
    """The contract of many at once."""


class TestList(ListContract):
    """The contract of the list."""


def test_each_is_what_its_port_asks_for(store: PostgresStore, database: SharedDatabase) -> None:
    """The app imports them only where they are wanted, so nothing else would tell."""
    queue: Store = store
    holding: Holding = store
    memory: Memory = PostgresMemory(database)
    records: Records = PostgresRecords(database)
    preferences: Preferences = PostgresPreferences(database)
    sessions: Sessions = PostgresSessions(database)
    tokens: Tokens = PostgresTokens(database)
    outbox: Outbox = PostgresOutbox(database)
    assert all((queue, holding, memory, records, preferences, sessions, tokens, outbox))
