"""One guard and one upstream for all tests of a worker: each test knows its messages by their subject."""

from collections.abc import Iterator

import pytest

from tests import guard as guards
from tests import sink as sinks


@pytest.fixture(scope="session")
def sink() -> Iterator[sinks.Sink]:
    """The upstream that remembers."""
    with sinks.running() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def guard(sink: sinks.Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[guards.Guard]:
    """A guard in front of the sink that holds what goes outside for an hour."""
    directory = tmp_path_factory.mktemp("guard")
    with guards.running(directory, guards.smtp_upstream(sink.port)) as started:
        yield started
