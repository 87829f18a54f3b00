"""`mailguard backup` and back again: nothing is lost, and nothing leaves a second time in silence."""

import json
import os
import shutil
import signal
import smtplib
import sqlite3
import stat
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from mailguard.edge import control_client
from tests import guard as guards
from tests import sink as sinks
from tests.guard import Guard
from tests.slices import rounds

MAILDIR: dict[str, str | int] = {"kind": "maildir", "path": "outgoing"}


def hand_in(guard: Guard, *subjects: str) -> dict[str, str]:
    """Alice sends these; their ids."""
    ids = {}
    with smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        for subject in subjects:
            session.mail(guards.SENDER)
            assert session.rcpt(f"{subject}@customer.example")[0] == 250
            content = f"From: {guards.SENDER}\r\nSubject: {subject}\r\n\r\nhello {subject}\r\n"
            code, text = session.data(content)
            assert code == 250, text
            ids[subject] = text.decode().split(" as ")[1].split()[0]
    return ids


def kill(guard: Guard) -> None:
    """The machine is gone."""
    assert guard.process
    guard.process.send_signal(signal.SIGKILL)
    guard.process.wait()


def put_back(guard: Guard, copy: Path) -> None:
    """What the manual says: everything of the old queue aside, the copy in its place."""
    state = guard.directory / "state"
    aside = guard.directory / "aside"
    aside.mkdir()
    for old in state.glob("queue.db*"):
        old.rename(aside / old.name)
    shutil.copyfile(copy, state / "queue.db")


@pytest.mark.parametrize("running", [True, False])
def test_a_backup_of_a_guard_that_runs_or_not(tmp_path: Path, running: bool) -> None:
    guard = guards.configured(tmp_path, MAILDIR)
    guard.start()
    ids = hand_in(guard, *(f"s{number}" for number in range(5)))
    if not running:
        assert guard.stop() == 0
    target = tmp_path / "copies" / "monday.db"
    target.parent.mkdir()
    try:
        made = guard.ask("backup", str(target))
        assert made["file"] == str(target)
        assert (made["unfinished"], made["bytes"]) == (5, target.stat().st_size)
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert [one.name for one in target.parent.iterdir()] == ["monday.db"]
        with closing(sqlite3.connect(target)) as connection:
            assert {i for (i,) in connection.execute("SELECT id FROM message")} == set(ids.values())
            assert connection.execute("SELECT at FROM backup").fetchone()[0][:19] == made["at"][:19]
        if not running:
            return
        before = target.read_bytes()
        again = guard.verb("backup", str(target))
        assert (again.returncode, target.read_bytes()) == (2, before)
        assert "--force" in again.stderr
        forced = guard.verb("backup", str(target), "--force")
        assert forced.returncode == 0, forced.stderr
        assert "5 not finished" in forced.stdout
        nowhere = guard.verb("backup", str(tmp_path / "nowhere" / "x.db"))
        assert nowhere.returncode == 1
        assert "nowhere" in nowhere.stderr
        # The guard is none the worse for any of it.
        assert len(guard.ask("queue")) == 5
    finally:
        if running:
            assert guard.stop() == 0


def test_a_guard_that_never_ran_has_nothing_to_back_up(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, MAILDIR)
    told = guard.verb("backup", str(tmp_path / "copy.db"))
    assert told.returncode == 75
    assert "nothing to back up" in told.stderr
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.slow
def test_whoever_copies_and_dies_does_not_stop_the_next_one(tmp_path: Path) -> None:
    with guards.running(tmp_path, MAILDIR) as guard:
        socket = tmp_path / "state" / "control.sock"
        begun = control_client.ask(socket, {"verb": "backup", "step": "begin"})
        assert begun["told"] == "done"
        second = guard.verb("backup", str(tmp_path / "copy.db"))
        assert second.returncode == 75
        assert "already" in second.stderr
        assert not (tmp_path / "copy.db").exists()
        told = control_client.ask(socket, {"verb": "backup", "step": "end", "token": begun["token"]})
        assert told["told"] == "done"
        assert guard.verb("backup", str(tmp_path / "copy.db")).returncode == 0
        wrong = control_client.ask(socket, {"verb": "backup", "step": "dance"})
        assert wrong["told"] == "refused"


class Load:
    """Somebody who sends without a pause, and remembers what was answered 250, and when."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._over = threading.Event()
        self.taken: dict[str, float] = {}
        self.slowest = 0.0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            begun = time.monotonic()
            try:
                taken = hand_in(self._guard, f"load{number}")
            except (OSError, smtplib.SMTPException):
                # The guard is killed in the middle of it.
                return
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.taken |= {one: time.time() for one in taken.values()}
            number += 1


def backed_up_under_load(guard: Guard, target: Path, messages: int) -> tuple[set[str], float]:
    """Back up while mail comes in, then kill; the ids that must be in the copy, and the slowest answer."""
    with Load(guard) as load:
        deadline = time.monotonic() + 60
        while len(load.taken) < messages and time.monotonic() < deadline:
            time.sleep(0.02)
        before = set(load.taken)
        made = guard.verb("backup", str(target), "--json")
        assert made.returncode == 0, made.stderr
        came = len(load.taken)
        while len(load.taken) < came + 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(load.taken) >= came + 5, "no mail was taken after the backup"
        kill(guard)
    at = json.loads(made.stdout)["at"]
    assert at.endswith("Z")
    return before, load.slowest


@pytest.mark.slow
def test_back_up_under_load_kill_restore(tmp_path: Path) -> None:
    """What left between the backup and the crash does not leave again until a person says so."""
    target = tmp_path / "copy.db"
    with sinks.running() as sink:
        guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port))
        guard.start()
        try:
            early = hand_in(guard, "sent-after", "cancelled-after", "left-alone")
            before, slowest = backed_up_after(guard, target, early)
            assert slowest < 5
            put_back(guard, target)
            guard.start()
            frozen = {message["id"] for message in guard.ask("queue", "--state", "frozen")}
            # Nothing is lost that was answered before the backup.
            assert before | set(early.values()) <= frozen
            assert len(guard.ask("queue")) == len(frozen)
            time.sleep(1.0)
            assert copies(sink, "sent-after") == 1
            assert copies(sink, "cancelled-after") == 0
            shown = guard.ask("show", early["sent-after"])
            assert shown["events"][-1]["event"] == "quarantine"
            assert "restored from a backup of" in shown["events"][-1]["reason"]
            # Another start says nothing of it any more.
            assert guard.stop() == 0
            guard.start()
            shown = guard.ask("show", early["sent-after"])
            assert [event["event"] for event in shown["events"]].count("quarantine") == 1
            people_decide(guard, sink, early)
        finally:
            assert guard.stop() == 0


def backed_up_after(guard: Guard, target: Path, early: dict[str, str]) -> tuple[set[str], float]:
    before, slowest = backed_up_under_load(guard, target, 20)
    # What the copy cannot know of: one leaves, one is cancelled, then the machine is gone.
    guard.start()
    assert guard.verb("release", early["sent-after"]).returncode == 0
    guard.wait_for(lambda m: m["id"] == early["sent-after"] and m["state"] == "sent")
    assert guard.verb("cancel", early["cancelled-after"]).returncode == 0
    kill(guard)
    return before, slowest


def people_decide(guard: Guard, sink: sinks.Sink, early: dict[str, str]) -> None:
    """The sender of the one says no, the admin says yes to the rest."""
    told = guard.verb("cancel", early["sent-after"], early["cancelled-after"])
    assert told.returncode == 4
    assert "may have reached sent-after@customer.example" in told.stderr
    assert guard.verb("thaw").returncode == 2
    assert guard.verb("thaw", "--all", "x").returncode == 2
    thawed = guard.verb("thaw", "--all")
    assert thawed.returncode == 0, thawed.stderr
    assert guard.ask("queue", "--state", "frozen") == []
    assert guard.verb("release", early["left-alone"]).returncode == 0
    sink.wait(lambda d: "left-alone@customer.example" in d.recipients)
    time.sleep(0.5)
    assert copies(sink, "sent-after") == 1
    assert copies(sink, "cancelled-after") == 0
    assert copies(sink, "left-alone") == 1


def copies(sink: sinks.Sink, subject: str) -> int:
    return sum(f"{subject}@customer.example" in delivery.recipients for delivery in sink.deliveries)


@pytest.mark.slow
def test_a_copy_beside_the_log_of_the_old_queue_is_not_opened(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, MAILDIR)
    guard.start()
    hand_in(guard, "one")
    assert guard.verb("backup", str(tmp_path / "copy.db")).returncode == 0
    hand_in(guard, "two")
    kill(guard)
    state = tmp_path / "state"
    assert (state / "queue.db-wal").stat().st_size > 0
    os.replace(tmp_path / "copy.db", state / "queue.db")
    refused = guard.verb("serve")
    assert refused.returncode == 75
    assert "does not belong to" in refused.stderr
    assert guard.verb("queue").returncode == 75


@pytest.mark.slow
def test_a_large_queue_is_copied_while_mail_goes_on(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, MAILDIR)
    guard.start()
    megabytes = rounds(1000, slice_of=60)
    body = b"From: alice@corp.example\r\n\r\n" + (b"x" * 76 + b"\r\n") * 12_000
    try:
        with smtplib.SMTP("127.0.0.1", guard.port) as session:
            session.ehlo()
            for _ in range(megabytes):
                session.mail(guards.SENDER)
                session.rcpt("b@customer.example")
                assert session.data(body)[0] == 250
        begun = time.monotonic()
        _, slowest = backed_up_under_load(guard, tmp_path / "copy.db", 5)
        print(f"{megabytes} MB: {time.monotonic() - begun:.1f} s, slowest answer {slowest:.2f} s")
        assert slowest < 5
        with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        if guard.process and guard.process.poll() is None:
            guard.stop()
