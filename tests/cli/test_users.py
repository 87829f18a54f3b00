"""`mailguard users`, in its own process, on a file of its own."""

import json
import stat
import subprocess
from pathlib import Path

import pytest

from tests.guard import PROGRAM, environment


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a users file that is not there yet."""
    path = tmp_path / "mailguard.toml"
    path.write_text('hostname = "guard.corp.example"\n[accounts]\nfile = "users"\n')
    return path


def users(config: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run one verb of `mailguard users`."""
    command = [str(PROGRAM), "users", *arguments, "--config", str(config)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env=environment()
    )


def test_logins_come_and_go(config: Path) -> None:
    added = users(config, "add", "carl", "--address", "carl@corp.example", "--password-stdin", stdin="x y\n")
    assert added.returncode == 0, added.stderr
    file = config.parent / "users"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "x y" not in file.read_text()
    listed = users(config, "list", "--json")
    assert json.loads(listed.stdout) == [{"login": "carl", "addresses": ["carl@corp.example"]}]
    before = file.read_text()
    assert users(config, "passwd", "carl", "--password-stdin", stdin="z\n").returncode == 0
    assert file.read_text() != before
    assert users(config, "remove", "carl").returncode == 0
    assert "No logins yet" in users(config, "list").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "has space"],
        ["add", "dora", "--address", "nowhere"],
        ["passwd", "nobody"],
        ["remove", "nobody"],
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(config: Path, arguments: list[str]) -> None:
    stdin = [] if arguments[0] == "remove" else ["--password-stdin"]
    done = users(config, *arguments, *stdin, stdin="secret\n")
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not (config.parent / "users").exists()
