"""A state directory that is not what it should be: a clear sentence, an exit code, and nothing destroyed."""

import hashlib
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests import guard as guards
from tests.faults.injecting import ask, kill, request, subjects, taken, troubles
from tests.faults.small_disk import small_disk
from tests.guard import Guard
from tests.programs import require

MIB = 1024 * 1024
TEMPORARY, FAULT = 75, 1


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    """A guard that was stopped and has a message."""
    guard = guards.configured(tmp_path, {"kind": "maildir"})
    guard.start()
    taken(guard, "kept")
    guard.stop()
    yield guard
    if guard.process and guard.process.poll() is None:
        kill(guard)


def crashed(guard: Guard) -> None:
    """The guard has taken another message, and was cut off while it stood in the log only."""
    log = guard.directory / "state" / "queue.db-wal"
    guard.start()
    taken(guard, "newest")
    # The sweep at the start may have written it back, and emptied the log.
    while not (log.exists() and log.stat().st_size):
        taken(guard, "newest")
    kill(guard)


def database(guard: Guard) -> Path:
    return guard.directory / "state" / "queue.db"


def snapshot(guard: Guard) -> dict[str, str]:
    """The files of the store, and what is in them."""
    files = (guard.directory / "state").glob("queue.db*")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(guard: Guard, code: int, *words: str) -> None:
    """It does not start, says why and what to do, and so does the doctor; nothing is changed by either."""
    before = snapshot(guard)
    started = guard.verb("serve")
    assert started.returncode == code, started.stderr
    for word in words:
        assert word in started.stderr
    assert "Traceback" not in started.stderr
    examined = guard.verb("doctor")
    assert examined.returncode == 2
    assert words[0] in examined.stdout, examined.stdout
    assert snapshot(guard) == before


@pytest.mark.slow
def test_a_newer_database(guard: Guard) -> None:
    with closing(sqlite3.connect(database(guard))) as connection, connection:
        connection.execute(
            "INSERT INTO schema_version SELECT max(number) + 1, 'future', 'x', '2030' FROM schema_version"
        )
    refused(guard, FAULT, "was written by a newer mailguard", "install that version again")


@pytest.mark.slow
def test_a_database_that_is_gone_or_cut(guard: Guard) -> None:
    path = database(guard)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(guard, TEMPORARY, "cut short", "backup")
    path.write_bytes(b"")
    refused(guard, TEMPORARY, "is empty, though mail was kept in it", "backup")
    path.unlink()
    refused(guard, TEMPORARY, "is missing, though mail was kept in it", "backup")
    path.write_bytes(whole)
    guard.start()
    assert subjects(guard) == {"kept"}
    guard.stop()


@pytest.mark.slow
def test_a_log_without_its_database_and_the_other_way_round(guard: Guard) -> None:
    crashed(guard)
    path, log = database(guard), guard.directory / "state" / "queue.db-wal"
    kept, logged = path.read_bytes(), log.read_bytes()
    path.unlink()
    refused(guard, TEMPORARY, "its log queue.db-wal is there", "backup")
    path.write_bytes(kept)
    log.unlink()
    refused(guard, TEMPORARY, "queue.db-wal is missing", "newest mail was in it")
    log.write_bytes(logged)
    guard.start()
    assert subjects(guard) == {"kept", "newest"}
    guard.stop()


def test_a_second_guard_for_one_state_directory(guard: Guard) -> None:
    guard.start()
    assert guard.process
    second = guard.verb("serve")
    assert second.returncode == TEMPORARY
    assert f"another mailguard (process {guard.process.pid})" in second.stderr
    assert subjects(guard) == {"kept"}
    guard.stop()


@pytest.mark.slow
def test_a_state_that_this_version_does_not_know(guard: Guard) -> None:
    """The message stays where it is, and is in nobody's way."""
    guard.start()
    odd = taken(guard, "odd")
    guard.stop()
    with closing(sqlite3.connect(database(guard))) as connection, connection:
        connection.execute("UPDATE message SET state = 'levitating' WHERE id = ?", (odd,))
    assert odd in guard.verb("doctor").stdout
    guard.start()
    assert subjects(guard) == {"kept"}
    taken(guard, "next")
    assert "1 messages" in troubles(guard)
    told = request(guard, "cancel", id=odd)
    assert told["told"] == "try_later"
    assert "doctor" in str(told["text"])
    assert "does not know" in guard.verb("doctor").stdout
    guard.stop()
    with closing(sqlite3.connect(database(guard))) as connection, connection:
        connection.execute("UPDATE message SET state = 'held' WHERE id = ?", (odd,))
    guard.start()
    assert ask(guard, "cancel", odd) == "done"
    guard.stop()


@pytest.mark.slow
def test_a_damaged_page_is_found_by_the_doctor(guard: Guard) -> None:
    path = database(guard)
    content = bytearray(path.read_bytes())
    content[-3 * 4096 : -2 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert "damaged" in guard.verb("doctor").stdout


@pytest.mark.slow
def test_a_state_directory_that_cannot_be_written(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with small_disk(state, 24 * MIB):
        guard = guards.configured(tmp_path, {"kind": "maildir"})
        guard.start()
        taken(guard, "kept")
        guard.stop()
        subprocess.run([require("mount"), "-o", "remount,ro", state], check=True)
        refused(guard, TEMPORARY, "Read-only file system")
        subprocess.run([require("mount"), "-o", "remount,rw", state], check=True)
        guard.start()
        assert subjects(guard) == {"kept"}
        guard.stop()
