"""From a verb to its answer where things are not as they should be."""

from pathlib import Path

import pytest

from mailguard.cli.asking import ask


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose guard never ran."""
    monkeypatch.delenv("MAILGUARD_CONFIG", raising=False)
    path = tmp_path / "mailguard.toml"
    path.write_text('hostname = "guard.corp.example"\nstate_dir = "state"\n')
    return path


def test_a_guard_that_never_ran_has_an_empty_queue(config: Path) -> None:
    assert ask(config, {"verb": "queue"}) == {"told": "done", "text": "", "messages": []}


def test_a_missing_configuration_is_a_refusal(tmp_path: Path) -> None:
    answer = ask(tmp_path / "none.toml", {"verb": "queue"})
    assert answer["told"] == "refused"
    assert "none.toml" in str(answer["text"])


def test_a_broken_configuration_is_told_with_its_line(config: Path) -> None:
    config.write_text('hostname = "guard.corp.example"\nstate_dir = 7\n')
    answer = ask(config, {"verb": "queue"})
    assert answer["told"] == "refused"
    assert "mailguard.toml:2" in str(answer["text"])


def test_a_database_that_is_away_asks_to_try_later_and_names_it(config: Path) -> None:
    config.write_text(config.read_text() + '[store]\nurl = "postgresql://guard:hunter2@127.0.0.1:1/queue"\n')
    answer = ask(config, {"verb": "queue"})
    assert answer["told"] == "try_later"
    assert "127.0.0.1:1/queue" in str(answer["text"])
    assert "hunter2" not in str(answer["text"])


def test_a_damaged_store_asks_to_try_later_and_names_the_file(config: Path) -> None:
    state = config.parent / "state"
    state.mkdir(mode=0o700)
    (state / "queue.db").write_bytes(b"this is no database " * 500)
    answer = ask(config, {"verb": "queue"})
    assert answer["told"] in ("try_later", "fault")
    assert "queue.db" in str(answer["text"])
