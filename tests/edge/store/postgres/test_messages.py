"""The queue on PostgreSQL: the contracts, and what is particular to it."""

from tests.edge.store.contract import StoreContract
from tests.edge.store.contract_list import ListContract
from tests.edge.store.contract_races import RaceContract


class TestStore(StoreContract):
    """The contract of one message."""


class TestRaces(RaceContract):
    """The contract of many at once."""


class TestList(ListContract):
    """The contract of the list."""
