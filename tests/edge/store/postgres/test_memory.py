"""The memory on PostgreSQL keeps the contract of every memory."""

from tests.edge.store.contract_memory import MemoryContract


class TestMemory(MemoryContract):
    """What every memory must do."""
