"""`mailguard serve` with no configuration at all: usable at once, and nothing can leave the machine."""

import contextlib
import json
import smtplib
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.guard import PROGRAM, environment
from tests.programs import free_port


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """An empty directory, and a port of its own, because several tests run at once."""
    return environment(
        HOME=str(tmp_path),
        MAILGUARD_SMTP__LISTEN=f"127.0.0.1:{free_port()}",
        MAILGUARD_WEB__LISTEN=f"127.0.0.1:{free_port()}",
    )


@pytest.fixture
def started(nowhere: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """The guard, running; the path of what it prints."""
    told = tmp_path / "told"
    with told.open("wb") as out:
        process = subprocess.Popen([str(PROGRAM), "serve"], stdout=out, stderr=out, cwd=tmp_path, env=nowhere)
    try:
        host, _, port = nowhere["MAILGUARD_SMTP__LISTEN"].rpartition(":")
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), smtplib.SMTP(host, int(port), timeout=5):
                break
            assert process.poll() is None, told.read_text()
            assert time.monotonic() < deadline, told.read_text()
            time.sleep(0.1)
        yield told
    finally:
        process.terminate()
        assert process.wait(20) == 0


def verb(*arguments: str, cwd: Path, env: dict[str, str]) -> Any:
    command = [str(PROGRAM), *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_first_message_is_held_and_ends_in_the_maildir(
    started: Path, nowhere: dict[str, str], tmp_path: Path
) -> None:
    host, _, port = nowhere["MAILGUARD_SMTP__LISTEN"].rpartition(":")
    content = b"From: a@corp.example\r\nTo: b@client.example\r\nSubject: first\r\n\r\nHello\r\n"
    with smtplib.SMTP(host, int(port), timeout=30) as session:
        session.sendmail("a@corp.example", ["b@client.example"], content)
    [held] = verb("queue", cwd=tmp_path, env=nowhere)
    waits = datetime.fromisoformat(held["release_at"]) - datetime.fromisoformat(held["received_at"])
    assert (held["state"], held["subject"]) == ("held", "first")
    assert abs(waits - timedelta(minutes=5)) <= timedelta(seconds=1)

    verb("release", held["id"], cwd=tmp_path, env=nowhere)
    deadline = time.monotonic() + 10
    # The message, and word to its sender that the admin let it go.
    while len(arrived := list((tmp_path / "var" / "outgoing" / "new").glob("*"))) < 2:
        assert time.monotonic() < deadline, started.read_text()
        time.sleep(0.05)
    bodies = [one.read_bytes().replace(b"\r\n", b"\n") for one in arrived]
    [message] = [one for one in bodies if b"From: mailguard" not in one]
    assert message.endswith(content.replace(b"\r\n", b"\n"))


def test_the_first_lines_tell_what_to_do(started: Path, nowhere: dict[str, str]) -> None:
    deadline = time.monotonic() + 10
    # Whoever is quick is connected before they are printed.
    while nowhere["MAILGUARD_SMTP__LISTEN"] not in (told := started.read_text()):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    assert str(Path("var") / "outgoing") in told
    assert told.count("mailguard ") >= 3
