"""`mailguard notify` shows how it stands with each target, and tries them, while the guard is stopped too."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailguard.cli.main import verbs

NOBODY = """
[[notify]]
name = "nobody"
kind = "webhook"
url = "http://127.0.0.1:1/hunter2"
secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mailguard.toml"
    path.write_text('hostname = "guard.corp.example"\n')
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(verbs, ["notify", *arguments, "--config", str(config)])


def test_nobody_is_told_anything(config: Path) -> None:
    done = run(config)
    assert (done.exit_code, done.stdout) == (
        0,
        "Nobody outside is told; [[notify]] in mailguard.toml names whom to tell.\n",
    )


def test_a_target_that_is_not_there(config: Path) -> None:
    config.write_text(config.read_text() + NOBODY)
    assert run(config).stdout == "nobody: 0 waiting, 0 given up\n"
    tried = run(config, "--test", "--json")
    assert tried.exit_code == 75
    [told] = json.loads(tried.stdout)
    assert (told["name"], told["ok"]) == ("nobody", False)
    assert told["fault"].startswith("http://127.0.0.1:1 cannot be reached")
    tried = run(config, "--test", "nobody")
    assert (tried.exit_code, tried.stderr) == (75, f"nobody: {told['fault']}\n")
