"""What tests of several folders begin with."""

from collections.abc import Iterator

import pytest

from tests import sink as sinks


@pytest.fixture(scope="session")
def sink() -> Iterator[sinks.Sink]:
    """An upstream that remembers, one for all tests of a worker."""
    with sinks.running() as upstream:
        yield upstream
