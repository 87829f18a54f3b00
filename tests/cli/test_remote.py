"""`mailguard login` and every verb after it, with a real guard at the other end."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.edge.web.parts import ADMIN_LOGIN, ADMIN_PASSWORD, configured, submit
from tests.guard import LOGIN, PASSWORD, PROGRAM, Guard, environment

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    made = configured(tmp_path_factory.mktemp("far"))
    made.start()
    yield made
    assert made.stop() == 0, made.log()


@pytest.fixture
def laptop(tmp_path: Path, guard: Guard) -> Iterator[Run]:
    """A machine without a guard, whose user has logged in at one."""

    def run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        env = environment(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / "config"))
        return subprocess.run(
            [str(PROGRAM), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=env,
            cwd=tmp_path,
            timeout=60,
        )

    url = f"http://127.0.0.1:{guard.web_port}"
    wrong = run("login", url, "--login", LOGIN, "--password-stdin", stdin="wrong\n")
    assert wrong.returncode == 2, wrong.stdout + wrong.stderr
    done = run("login", url, "--login", LOGIN, "--password-stdin", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in "".join(path.read_text() for path in (tmp_path / "config").rglob("*.json"))
    yield run


def ask(laptop: Run, *arguments: str) -> Any:
    done = laptop(*arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_verbs_act_on_the_own_messages_elsewhere(laptop: Run, guard: Guard) -> None:
    mine, other, theirs = submit(guard), submit(guard), submit(guard, sender="bob@corp.example")
    listed = ask(laptop, "queue")
    assert [one for one in listed if one["id"] == mine] == [
        one for one in guard.ask("queue") if one["id"] == mine
    ]
    assert theirs not in [one["id"] for one in listed]
    assert ask(laptop, "show", mine[:9]) == guard.ask("show", mine)
    assert laptop("show", mine, "--raw").stdout.replace("\r\n", "\n") == guard.raw(mine).decode().replace(
        "\r\n", "\n"
    )
    for verb, state in (("cancel", "cancelled"), ("restore", "held"), ("freeze", "frozen"), ("thaw", "held")):
        [told] = ask(laptop, verb, mine)
        assert told["message"]["state"] == state
    assert ask(laptop, "extend", mine, "--by", "10m")["result"] == "done"
    assert laptop("cancel", theirs).returncode == 5
    assert laptop("cancel", "zzzzzzzzzzzz").returncode == 3
    assert laptop("confirm", mine).returncode == 2
    assert laptop("status").returncode == 5
    for token in guard.ask("tokens", "list", "--login", LOGIN):
        assert token["scope"] == "act"
        assert socket.gethostname() in token["name"]
        life = datetime.fromisoformat(token["expires_at"]) - datetime.fromisoformat(token["made_at"])
        assert life == timedelta(days=90)
    assert laptop("backup", "x").returncode != 0
    draft = laptop("edit", other)
    assert draft.stdout.startswith("X-Unsent: 1")
    assert guard.ask("show", other)["state"] == "cancelled"
    ask(laptop, "release", mine)
    guard.wait_for(lambda one: one["id"] == mine and one["state"] == "sent")
    assert laptop("cancel", mine).returncode == 4


def test_logging_out_revokes_the_token(laptop: Run, guard: Guard) -> None:
    names = {one["name"] for one in guard.ask("tokens", "list", "--login", LOGIN)}
    assert laptop("logout").returncode == 0
    assert len(names - {one["name"] for one in guard.ask("tokens", "list", "--login", LOGIN)}) == 1
    assert laptop("logout").returncode == 0


def test_another_machine_only_by_tls(tmp_path: Path) -> None:
    env = environment(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    done = subprocess.run(
        [str(PROGRAM), "login", "http://guard.corp.example", "--login", "a", "--password-stdin"],
        input="x\n",
        capture_output=True,
        text=True,
        check=False,
        env=env,
        timeout=60,
    )
    assert done.returncode == 1
    assert "expected https://" in done.stderr
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(("scope", "code"), [("read", 5), ("admin", 0)])
def test_how_far_it_reaches(laptop: Run, guard: Guard, scope: str, code: int) -> None:
    url, password = f"http://127.0.0.1:{guard.web_port}", ADMIN_PASSWORD + "\n"
    done = laptop("login", url, "--login", ADMIN_LOGIN, "--scope", scope, "--password-stdin", stdin=password)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"as root ({scope}), for 90 days" in done.stdout
    assert laptop("status").returncode == code
    assert laptop("cancel", submit(guard)).returncode == code
