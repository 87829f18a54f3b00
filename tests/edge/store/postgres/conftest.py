"""A real server for all the tests of the shared store, and a fresh database for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from mailguard.edge.store.postgres import Lease, PostgresMemory, PostgresStore, SharedDatabase
from tests import postgres_server
from tests.edge.store.contract import Gone
from tests.edge.store.postgres.leases import expire
from tests.edge.store.samples import RecordingLog
from tests.postgres_server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all."""
    with postgres_server.running() as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    """An empty database."""
    return server.database()


@pytest.fixture
def log() -> RecordingLog:
    """What the database tells of itself."""
    return RecordingLog()


@pytest.fixture
async def database(url: str, log: RecordingLog) -> AsyncIterator[SharedDatabase]:
    """An open database, closed at the end."""
    database = await SharedDatabase.open(url, log=log)
    yield database
    await database.close()


@pytest.fixture
async def store(database: SharedDatabase) -> AsyncIterator[PostgresStore]:
    """The queue in it."""
    store = PostgresStore(database, lease=Lease(database, name="a"))
    yield store
    await store.close()


@pytest.fixture
def gone(database: SharedDatabase) -> Gone:
    """The leases of all guards are over."""
    return lambda: expire(database)


@pytest.fixture
def memory(database: SharedDatabase) -> PostgresMemory:
    """The memory in it."""
    return PostgresMemory(database)
