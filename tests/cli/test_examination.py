"""The doctor names what is wrong, and the mend."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from mailguard.cli import examination
from mailguard.cli.examination import examined
from mailguard.edge.store import engine, examine
from mailguard.edge.store.examining import unknown_states


def problems(config: Path) -> str:
    """Everything the doctor says, in one text."""
    return "\n".join(str(one) for one in examined(config).ailments)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration without faults, whose guard is not running."""
    path = tmp_path / "mailguard.toml"
    path.write_text('hostname = "guard.corp.example"\nstate_dir = "state"\n')
    (tmp_path / "state").mkdir(mode=0o700)
    return path


def test_a_fault_in_the_configuration_comes_first_and_alone(config: Path) -> None:
    config.write_text("hostnam = 1\n")
    [one] = examined(config).ailments
    assert "hostnam" in one.problem


def test_a_guard_that_is_not_running(config: Path) -> None:
    assert "mailguard serve" in problems(config)


def test_an_open_state_directory(config: Path) -> None:
    (config.parent / "state").chmod(0o755)
    assert "chmod 700" in problems(config)


def test_nobody_may_send(config: Path) -> None:
    config.write_text(config.read_text() + "[smtp]\ntrusted_networks = []\n")
    assert "mailguard users add" in problems(config)


def test_an_upstream_that_cannot_be_reached(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    upstream = f'[upstream]\nkind = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'
    config.write_text(config.read_text() + upstream)
    assert f"127.0.0.1:{port} cannot be reached" in problems(config)


def test_a_queue_that_is_gone(config: Path) -> None:
    state = config.parent / "state"
    (state / "queue.db-trace").write_text("kept\n")
    told = problems(config)
    assert "is missing, though mail was kept in it" in told
    assert "backup" in told


def test_a_queue_with_a_state_that_is_not_known(config: Path) -> None:
    path = config.parent / "state" / "queue.db"
    with closing(engine.connect(path)) as connection:
        connection.execute("INSERT INTO tally (state, messages) VALUES ('levitating', 2)")
        assert unknown_states(connection) == 2
    assert examine(path) == []
    assert "is damaged" not in problems(config)


def test_a_damaged_queue(config: Path) -> None:
    path = config.parent / "state" / "queue.db"
    engine.connect(path).close()
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    path.write_bytes(content)
    assert "is damaged" in problems(config)


def node(name: str, *, alive: bool, since: str = "2026-11-22T08:00:00Z") -> dict[str, object]:
    """One guard of a shared queue, as `status` shows it."""
    heard = "2026-11-22T10:00:00Z"
    return {"name": name, "address": None, "since": since, "heard": heard, "alive": alive, "in_hand": 0}


def test_a_guard_that_ended_without_a_word(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [
        node("a:1", alive=True),
        node("b:7", alive=False),
        node("c:8", alive=False),
        node("c:9", alive=True, since="2026-11-22T10:00:03Z"),
        node("d:3", alive=False),
        node("d:4", alive=True),
    ]
    answer = {"told": "done", "status": {"running": True, "overdue": 0, "reload_errors": [], "nodes": nodes}}
    monkeypatch.setattr(examination, "ask", lambda config, request: answer)
    found = examined(config)
    # One that was started anew on the same machine is well; another one that was there all along is not it.
    told = [one.problem for one in found.ailments if "not heard of" in one.problem]
    assert told == [
        f"the guard {name} of this queue was not heard of since 2026-11-22T10:00:00Z"
        for name in ("b:7", "d:3")
    ]
    assert found.nodes == nodes
