"""One guard and one upstream for all tests of a worker: each test knows its messages by their subject."""

from collections.abc import Iterator

import pytest

from tests import guard as guards
from tests.sink import Sink


@pytest.fixture(scope="session")
def guard(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[guards.Guard]:
    """A guard in front of the sink that holds what goes outside for an hour."""
    directory = tmp_path_factory.mktemp("guard")
    with guards.running(directory, guards.smtp_upstream(sink.port)) as started:
        yield started
