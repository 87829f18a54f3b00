"""A real server, and an empty queue in it for each test."""

from collections.abc import Iterator

import pytest

from tests import postgres_server
from tests import sink as sinks
from tests.postgres_server import Server
from tests.sink import Sink


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all."""
    with postgres_server.running() as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    """An empty queue."""
    return server.database()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The upstream that remembers."""
    with sinks.running() as upstream:
        yield upstream
