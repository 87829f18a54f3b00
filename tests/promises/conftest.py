"""One guard and one upstream for the promises that can be told without ending it."""

from collections.abc import Iterator

import pytest

from tests import guard as guards
from tests.promises.talking import RULES
from tests.sink import Sink


@pytest.fixture(scope="session")
def guard(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[guards.Guard]:
    """A guard in front of it."""
    directory = tmp_path_factory.mktemp("guard")
    with guards.running(directory, guards.smtp_upstream(sink.port), rules=RULES) as started:
        yield started
