"""One guard with a page for all tests of a worker; each test has messages of its own."""

from collections.abc import Iterator

import pytest

from tests.edge.web import parts
from tests.guard import Guard


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """Running, with alice, bob and root."""
    made = parts.configured(tmp_path_factory.mktemp("web"))
    made.start()
    yield made
    assert made.stop() == 0, made.log()
