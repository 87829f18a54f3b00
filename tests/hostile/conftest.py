"""Two guards for all tests of a worker: one that trusts this machine, and one that trusts nobody."""

from collections.abc import Iterator

import pytest

from mailguard.core.checks import CHECKS
from tests import guard as guards
from tests.sink import Sink

# Nothing is held, and no check has a say: it is the road that is looked at here.
OFF = "\n".join(f'{check.code} = {{ action = "off" }}' for check in CHECKS)
AT_ONCE = f"{guards.RULES}\n[checks]\n{OFF}\n".replace('"1h"', '"0s"')


@pytest.fixture(scope="session")
def guard(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[guards.Guard]:
    """A guard that trusts this machine, and sends on at once."""
    directory = tmp_path_factory.mktemp("guard")
    smtp = "max_connections_per_ip = 300"
    with guards.running(directory, guards.smtp_upstream(sink.port), rules=AT_ONCE, smtp=smtp) as started:
        yield started


@pytest.fixture(scope="session")
def strict(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[guards.Guard]:
    """A guard that trusts nobody."""
    configured = guards.configured(
        tmp_path_factory.mktemp("strict"), guards.smtp_upstream(sink.port), rules=AT_ONCE
    )
    settings = configured.directory / "mailguard.toml"
    text = settings.read_text()
    assert '["127.0.0.0/8"]' in text
    settings.write_text(text.replace('["127.0.0.0/8"]', "[]"))
    configured.start()
    try:
        yield configured
    finally:
        assert configured.stop() == 0
