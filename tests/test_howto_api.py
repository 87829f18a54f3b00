"""The commands of docs/howto/api.md, word for word, against a running guard."""

import os
import re
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.edge.web.parts import configured, submit
from tests.guard import LOGIN, PROGRAM, Guard, environment
from tests.programs import require

HOWTO = Path(__file__).parent.parent / "docs" / "howto" / "api.md"
WHERE, ID = "https://guard.corp.example", "k7fm2xqp9d3t"


def commands(word: str) -> list[str]:
    """The commands of the page that begin so, each whole."""
    blocks = re.findall(r"^```\n(.*?)^```", HOWTO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith(word)]


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    made = configured(tmp_path_factory.mktemp("howto"))
    made.start()
    yield made
    assert made.stop() == 0, made.log()


def run(guard: Guard, command: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
    """A line of the page, as a person types it who has this guard."""
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    env = environment(PATH=path, MAILGUARD_CONFIG=str(guard.directory / "mailguard.toml"), **more)
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, cwd=guard.directory, env=env, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout!r} {done.stderr!r}"
    return done


def test_every_command_with_curl(guard: Guard) -> None:
    require("curl")
    token = guard.ask("tokens", "new", "howto", "--login", LOGIN)["token"]
    asked = commands("curl ")
    assert len(asked) >= 3
    for command in asked:
        here = command.replace(WHERE, f"http://127.0.0.1:{guard.web_port}")
        message_id = submit(guard)
        done = run(guard, here.replace("curl ", "curl --silent --fail ").replace(ID, message_id), TOKEN=token)
        if "POST" in command:
            assert guard.ask("show", message_id)["state"] == "cancelled", command
        else:
            assert message_id.encode() in done.stdout
    assert message_from_bytes((guard.directory / "draft.eml").read_bytes())["Subject"] == "plans"


def test_every_command_about_tokens(guard: Guard) -> None:
    def listed() -> list[dict[str, Any]]:
        return [one for one in guard.ask("tokens", "list") if one["name"] == "backup-script"]

    new, show, revoke = commands("mailguard tokens ")
    assert run(guard, new).stdout.startswith(b"mgt_")
    assert [(one["login"], one["scope"]) for one in listed()] == [(LOGIN, "read")]
    assert b"backup-script" in run(guard, show).stdout
    run(guard, revoke)
    assert listed() == []
