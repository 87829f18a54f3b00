"""`mailguard migrate-store` as a person says it: a queue with mail in it goes on elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests import postgres_server
from tests import sink as sinks
from tests.nodes.several import hand_in, wait_for_state


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An empty place in a server of its own."""
    with postgres_server.running() as server:
        yield server.database()


def test_a_queue_moves_and_nothing_leaves_twice(tmp_path: Path, url: str) -> None:
    with sinks.running() as sink:
        guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port))
        guard.start()
        held = hand_in(guard, "held@customer.example", "held")
        assert guard.verb("migrate-store", "--to", url).returncode == 75
        guard.stop()
        assert guard.verb("migrate-store").returncode == 2
        (tmp_path / "url").write_text(url + "\n")
        done = guard.verb("migrate-store", "--to-file", str(tmp_path / "url"), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["messages"], told["unfinished"]) == (1, 1)
        # The old place says where the queue is, and sends nothing.
        refused = guard.verb("queue")
        assert refused.returncode == 75
        assert "was moved to" in refused.stderr
        config = tmp_path / "mailguard.toml"
        config.write_text(config.read_text() + f'\n[store]\nurl_file = "{tmp_path}/url"\n')
        guard.start()
        assert guard.verb("release", held).returncode == 0
        wait_for_state(guard, held, "sent")
        assert guard.stop() == 0
        assert [delivery.recipients for delivery in sink.deliveries] == [("held@customer.example",)]
        again = guard.verb("migrate-store", "--to", url)
        assert again.returncode == 2
        assert "names PostgreSQL already" in again.stderr
