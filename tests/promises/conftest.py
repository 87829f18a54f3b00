"""One guard and one upstream for the promises that can be told without ending it."""

from collections.abc import Iterator

import pytest

from tests import guard as guards
from tests import sink as sinks
from tests.promises.talking import RULES


@pytest.fixture(scope="session")
def sink() -> Iterator[sinks.Sink]:
    """The upstream that remembers."""
    with sinks.running() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def guard(sink: sinks.Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[guards.Guard]:
    """A guard in front of it."""
    directory = tmp_path_factory.mktemp("guard")
    with guards.running(directory, guards.smtp_upstream(sink.port), rules=RULES) as started:
        yield started
