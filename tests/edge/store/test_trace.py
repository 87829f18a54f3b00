"""Whether the database that is opened is the one that was left: nothing lost in silence or destroyed."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.store import engine
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from mailguard.edge.store.trace import Trace
from mailguard.ports import Page
from tests.edge.store.samples import RecordingLog, new, numbered, put
from tests.programs import require


def snapshot(folder: Path) -> dict[str, str]:
    """Every file and what is in it."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


async def filled(path: Path, count: int = 30, size: int = 20_000) -> None:
    """A database that was closed, with messages."""
    database = await Database.open(path, log=RecordingLog())
    store = SqliteStore(database)
    for one in numbered(count):
        await store.add(new(one, b"x" * size))
    await database.close()


def crashed(folder: Path, target: Path) -> Path:
    """The files of an open database as a crash leaves them, elsewhere; the database's path there."""
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target / "queue.db"


async def left_open(tmp_path: Path, count: int = 30) -> Path:
    """A database whose guard has crashed, with most of its messages in the file and the newest in the log."""
    folder = tmp_path / "running"
    folder.mkdir()
    await filled(folder / "queue.db")
    database = await Database.open(folder / "queue.db", log=RecordingLog())
    await put(SqliteStore(database), *numbered(count + 1))
    path = crashed(folder, tmp_path / "crashed")
    await database.close()
    return path


def refusal(path: Path) -> str:
    """Why it is not opened; nothing was changed by that."""
    before = snapshot(path.parent)
    with pytest.raises((StoreError, sqlite3.DatabaseError)) as refused:
        engine.connect(path).close()
    assert snapshot(path.parent) == before
    return str(engine.translated(refused.value, path))


async def count(path: Path) -> int:
    database = await Database.open(path, log=RecordingLog())
    found = await SqliteStore(database).page(Page(limit=1000))
    await database.close()
    return len(found)


async def test_a_crash_is_recovered_from(tmp_path: Path) -> None:
    path = await left_open(tmp_path)
    assert await count(path) == 61


async def test_an_empty_or_missing_database_beside_its_log(tmp_path: Path) -> None:
    path = await left_open(tmp_path)
    os.truncate(path, 0)
    assert "is empty, but its log queue.db-wal is there" in refusal(path)
    path.unlink()
    assert "is missing, but its log queue.db-wal is there" in refusal(path)
    assert "backup" in refusal(path)


async def test_an_empty_or_missing_database_that_had_mail(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    await filled(path)
    os.truncate(path, 0)
    assert "is empty, though mail was kept in it" in refusal(path)
    path.unlink()
    told = refusal(path)
    assert "is missing, though mail was kept in it" in told
    # The sentence says what to do, and that works.
    assert f"remove {path}-trace" in told
    Path(f"{path}-trace").unlink()
    assert await count(path) == 0


async def test_a_log_that_is_missing(tmp_path: Path) -> None:
    path = await left_open(tmp_path)
    log = Path(f"{path}-wal")
    kept = log.read_bytes()
    log.unlink()
    assert f"{log} is missing" in refusal(path)
    log.write_bytes(kept)
    assert await count(path) == 61
    # After a clean end there is none, and none is missed.
    assert not log.exists()
    assert await count(path) == 61


async def test_a_start_that_was_cut_off_is_no_trace_of_mail(tmp_path: Path) -> None:
    (tmp_path / "queue.db").touch()
    assert await count(tmp_path / "queue.db") == 0


@pytest.mark.parametrize("crash", [False, True], ids=["closed", "crashed"])
async def test_a_database_cut_short_is_told_at_every_length(tmp_path: Path, crash: bool) -> None:
    if crash:
        path = await left_open(tmp_path)
    else:
        path = tmp_path / "queue.db"
        await filled(path)
    whole = path.read_bytes()
    lengths = {1, 16, 99, 100, 511, 512, 4095, 4096, 4097, 8192, len(whole) // 2, len(whole) - 4097}
    # After the crash the last page is in the log, too, and is not missed.
    lengths |= set(range(50_000, len(whole) - 4097, 150_001))
    if not crash:
        lengths |= {len(whole) - 4096, len(whole) - 1}
    told = []
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        told.append(f"{length}: {refusal(path)}")
    assert all("damaged" in text and "backup" in text for text in told), told
    path.write_bytes(whole)
    assert await count(path) >= 30


async def test_pages_that_are_in_the_log_only_are_not_missed(tmp_path: Path) -> None:
    """A crash before the log was ever written back: the file has a page or two, and all is well."""
    folder = tmp_path / "running"
    folder.mkdir()
    database = await Database.open(folder / "queue.db", log=RecordingLog())
    await put(SqliteStore(database), *numbered(40))
    path = crashed(folder, tmp_path / "crashed")
    await database.close()
    assert path.stat().st_size < Path(f"{path}-wal").stat().st_size
    assert await count(path) == 40


async def test_the_log_is_written_once_more_before_it_is_built_upon(tmp_path: Path) -> None:
    """A sync that failed before a crash leaves bytes that only this brings to the disk."""
    path = await left_open(tmp_path)
    log = Path(f"{path}-wal")
    content, times = log.read_bytes(), log.stat().st_mtime_ns
    time.sleep(0.02)
    Trace(path).take_log(1)
    assert log.read_bytes() == content
    assert log.stat().st_mtime_ns > times


async def test_that_comes_before_anything_else_is_written(tmp_path: Path) -> None:
    path = await left_open(tmp_path)
    log, calls = Path(f"{path}-wal"), tmp_path / "calls"
    size = log.stat().st_size
    code = "import sys; from mailguard.edge.store import engine as e; e.connect(e.Path(sys.argv[1]))"
    traced = [require("strace"), "-f", "-y", "-o", str(calls), "-e", "trace=pwrite64,fsync,fdatasync"]
    subprocess.run([*traced, sys.executable, "-c", code, str(path)], check=True)
    writes = [line for line in calls.read_text().splitlines() if "sync(" in line or str(log) in line]
    assert f"{size}, 0) = {size}" in writes[0], writes
    assert "fsync(" in writes[1], writes
    assert str(log) in writes[1], writes


async def test_a_copy_of_the_database_may_take_its_place(tmp_path: Path) -> None:
    """A backup has no log, and was put there on purpose."""
    path = await left_open(tmp_path)
    Path(f"{path}-wal").unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    assert await count(path) == 30


async def test_what_cannot_be_noted_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "queue.db-trace").mkdir()
    assert await count(tmp_path / "queue.db") == 0
