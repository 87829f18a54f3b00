"""`mailguard learn` and `forget`, and copies to learn from, with a real guard and beside a stopped one."""

import json
import os
import pty
import re
import signal
import smtplib
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.guard import PROGRAM, environment
from tests.letters import BOSS, CLIENT, LAYOFFS, PAUL, history, letter
from tests.programs import free_port

# The verbs go by the clock of this machine.
LATELY = datetime.now(UTC) - timedelta(days=60)
RULES = """
internal_domains = ["corp.example"]
margin = "0s"
notify = "never"
"""


class Place:
    """A guard's configuration, and its verbs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self.copies = free_port(), free_port()
        self.config = directory / "mailguard.toml"
        self.config.write_text(
            'hostname = "guard.corp.example"\nstate_dir = "state"\n[smtp]\n'
            f'listen = "127.0.0.1:{self.port}"\nlearn_listen = "127.0.0.1:{self.copies}"\n'
            '[web]\nlisten = "off"\n'
        )
        (directory / "rules.toml").write_text(RULES)

    def verb(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one verb of the command line."""
        command = [str(PROGRAM), *arguments, "--config", str(self.config)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=environment(),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
        )

    def ask(self, *arguments: str) -> Any:
        """The JSON that a verb prints."""
        done = self.verb(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def remembers(self, mails: int) -> None:
        """Wait until so many mails are remembered."""
        deadline = time.monotonic() + 40
        while (state := self.ask("status")["memory"]) != {"on": True, "ready": True, "mails": mails}:
            assert time.monotonic() < deadline, state
            time.sleep(0.3)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def running(place: Place) -> Iterator[Place]:
    """The guard runs."""
    with (place.directory / "guard.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PROGRAM), "serve", "--config", str(place.config)], stdout=log, stderr=log, env=environment()
        )
    # A verb before that would open the store itself, and be in its way.
    deadline = time.monotonic() + 40
    while "takes mail by" not in (told := (place.directory / "guard.log").read_text()):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    yield place
    process.terminate()
    assert process.wait(30) == 0


def mailbox(directory: Path) -> Path:
    """Years of mail, in a folder."""
    folder = directory / "mail"
    folder.mkdir()
    for number, mail in enumerate(history(start=LATELY)):
        (folder / f"{number}.eml").write_bytes(mail)
    (folder / "spam.eml").write_bytes(letter(99, PAUL, "Buy!", when=LATELY, headers="Precedence: bulk\r\n"))
    return folder


def test_learnt_beside_a_stopped_guard_and_forgotten_again(place: Place) -> None:
    folder = mailbox(place.directory)
    told = place.ask("learn", str(folder))
    assert told == {
        "read": 61,
        "new": 60,
        "known": 0,
        "sent": 60,
        "incoming": 0,
        "passed_over": {"written by a program": 1},
    }
    again = place.ask("learn", str(folder), "--sent-by", BOSS)
    assert (again["new"], again["passed_over"]["by somebody else"]) == (0, 60)
    message = place.directory / "message.eml"
    message.write_bytes(letter(900, CLIENT, LAYOFFS))
    assert place.ask("try", str(message), "--from", PAUL)["findings"] is not None
    refused = place.verb("forget", BOSS)
    assert refused.returncode == 1
    assert "Forget all that was learnt" in refused.stderr
    assert "40 entries" in place.verb("forget", BOSS, "--yes").stdout
    assert "0 entries" in place.verb("forget", BOSS, "--yes").stdout
    assert place.verb("forget", "nobody", "--yes").returncode != 0
    assert BOSS.encode() not in (place.directory / "state" / "queue.db").read_bytes()


def test_a_running_guard_learns_forgets_and_takes_copies(running: Place) -> None:
    assert "60 are new" in running.verb("learn", str(mailbox(running.directory))).stdout
    running.remembers(60)
    with smtplib.SMTP("127.0.0.1", running.copies, timeout=20) as client:
        client.ehlo("relay")
        assert "auth" not in client.esmtp_features
        incoming = letter(901, PAUL, "Dear Paul,\r\n\r\nwhere is it?", sender=CLIENT)
        assert client.sendmail(CLIENT, ["copies@guard.corp.example"], incoming) == {}
        assert client.sendmail(CLIENT, ["anybody@elsewhere.example"], incoming) == {}
    running.remembers(61)
    assert not running.ask("queue", "--all")
    assert not list((running.directory / "state" / "outgoing").rglob("*.eml"))
    assert "copies to learn from" in running.verb("status").stdout
    assert running.verb("forget", CLIENT, "--yes").returncode == 0
    running.remembers(40)
    log = (running.directory / "guard.log").read_text()
    assert "trouble" not in log.lower() or "model_unusable" in log


@pytest.mark.slow
def test_stopped_in_the_middle_it_goes_on(place: Place) -> None:
    mails = history(15_000, start=LATELY, apart=timedelta(minutes=4))
    box = place.directory / "old.mbox"
    box.write_bytes(b"".join(b"From paul Sun Nov 22 10:00:00 2026\n" + mail + b"\n" for mail in mails))
    command = [str(PROGRAM), "learn", str(box), "--config", str(place.config)]
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environment())
    os.close(slave)
    # The bar counts the mails that were handed over; the first of them are enough.
    shown = b""
    while not re.search(rb"[1-9]\d* mails", shown):
        shown += os.read(master, 4096)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(master)
    assert process.returncode != 0, out
    told = place.ask("learn", str(box))
    assert 0 < told["read"] < 15_000
    assert told["read"] - told["new"] == told["known"] <= 1000
    assert place.ask("learn", str(box))["known"] == 15_000
