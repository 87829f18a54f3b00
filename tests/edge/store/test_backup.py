"""Copies of an open database: of one moment, whole, marked, private; and the log while somebody copies."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError
from mailguard.core.states import MessageState
from mailguard.edge.clock import SystemClock
from mailguard.edge.store import backup, steps
from mailguard.edge.store.backup import Standstill
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from mailguard.ports import Page, Still
from tests.edge.store.samples import CONTENT, LATER, RecordingLog, cancelled, ids, new, numbered, put
from tests.making import NOW, in_state


@pytest.fixture
async def standstill(database: Database) -> AsyncIterator[Standstill]:
    standing = Standstill(database, clock=SystemClock())
    yield standing
    await standing.close()


def made(still: Still, target: Path) -> None:
    with backup.beside(target) as copied:
        backup.copy(still, copied, going_on=lambda done: None)
        backup.finish(copied, still, target, force=False)


async def found(path: Path) -> list[str]:
    """The ids of the unfinished messages in a copy, all of them with their bytes."""
    database = await Database.open(path, log=RecordingLog())
    try:
        store = SqliteStore(database)
        held = await store.page(Page())
        for one in held:
            assert await store.content(one.id) == CONTENT
        assert await store.restored_from() is not None
        return ids(held)
    finally:
        await database.close()


async def test_a_copy_has_all_that_was_answered_before_it_and_nothing_that_came_later(
    store: SqliteStore, standstill: Standstill, tmp_path: Path
) -> None:
    before = await put(store, *numbered(20))
    still = await standstill.begin()
    after = await put(store, *numbered(30))
    assert await store.apply(cancelled(before[0]))
    made(still, tmp_path / "copy.db")
    assert await standstill.end(still.token)
    assert sorted(await found(tmp_path / "copy.db")) == sorted(ids(before))
    # The queue itself has gone on.
    assert (await store.find(before[0].id)).state is MessageState.CANCELLED
    assert await store.content(after[-1].id) == CONTENT
    assert await store.restored_from() is None


async def test_the_file_stands_still_however_much_comes_in(
    store: SqliteStore, database: Database, standstill: Standstill
) -> None:
    await put(store, *numbered(5))
    still = await standstill.begin()
    before = database.path.read_bytes()
    assert len(before) == still.size
    done = [replace(one, state=MessageState.SENT, finished_at=NOW) for one in numbered(40)]
    await asyncio.gather(*(store.add(new(one, b"x" * 300_000)) for one in done))
    while await store.forget(LATER, LATER, 100):
        pass
    assert database.path.read_bytes() == before
    assert await standstill.renew(still.token)
    assert await standstill.end(still.token)
    # And then all of it is written back, and the log is bounded again.
    await store.forget(LATER, LATER, 100)
    assert _log(database) == 0
    assert database.path.read_bytes() != before


def _log(database: Database) -> int:
    return database.path.with_name("queue.db-wal").stat().st_size


async def test_only_one_copies_at_a_time(standstill: Standstill) -> None:
    still = await standstill.begin()
    with pytest.raises(StoreError, match="already"):
        await standstill.begin()
    assert not await standstill.renew("another")
    assert not await standstill.end("another")
    assert await standstill.end(still.token)
    again = await standstill.begin()
    assert again.token != still.token
    assert not await standstill.end(still.token)
    assert await standstill.end(again.token)


async def test_nobody_waits_for_a_copy_that_was_given_up(store: SqliteStore, database: Database) -> None:
    standstill = Standstill(database, clock=SystemClock(), lease=1.0)
    still = await standstill.begin()
    for _ in range(3):
        await asyncio.sleep(0.5)
        assert await standstill.renew(still.token)
    await asyncio.sleep(1.5)
    assert not await standstill.renew(still.token)
    assert not await standstill.end(still.token)
    [(pages,)] = await database.read(lambda c: c.execute("PRAGMA wal_autocheckpoint").fetchall())
    assert pages == backup.AUTOCHECKPOINT
    await put(store, *numbered(3))
    await standstill.begin()
    await standstill.close()


async def test_a_log_that_grows_too_long_ends_the_copying(
    store: SqliteStore, standstill: Standstill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "LARGEST_LOG", 100_000)
    still = await standstill.begin()
    assert await standstill.renew(still.token)
    await asyncio.gather(*(store.add(new(one, b"x" * 30_000)) for one in numbered(10)))
    assert not await standstill.renew(still.token)
    assert not await standstill.end(still.token)


async def test_a_file_that_was_changed_all_the_same_makes_no_copy(
    store: SqliteStore, database: Database, standstill: Standstill, tmp_path: Path
) -> None:
    await put(store, *numbered(5))
    still = await standstill.begin()
    await put(store, *numbered(30))

    def meanwhile(done: int) -> None:
        # As the store does when its disk has failed.
        with database.path.open("r+b") as file:
            file.write(file.read(1))
        os.utime(database.path, (1, 1))

    with backup.beside(tmp_path / "copy.db") as copied, pytest.raises(StoreError, match="changed"):
        backup.copy(still, copied, going_on=meanwhile)
    assert sorted(one.name for one in tmp_path.iterdir() if "copy" in one.name) == []


async def test_a_copy_is_private_and_takes_no_place_of_another(
    store: SqliteStore, standstill: Standstill, tmp_path: Path
) -> None:
    await put(store, *numbered(2))
    target = tmp_path / "copy.db"
    target.write_bytes(b"precious")
    still = await standstill.begin()
    with backup.beside(target) as copied:
        backup.copy(still, copied, going_on=lambda done: None)
        with pytest.raises(FileExistsError):
            backup.finish(copied, still, target, force=False)
        assert target.read_bytes() == b"precious"
        told = backup.finish(copied, still, target, force=True)
    assert (told.path, told.at, told.unfinished) == (target, still.at, 2)
    assert told.size == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir() if "copy" in one.name] == ["copy.db"]


async def test_a_damaged_file_makes_no_backup(
    store: SqliteStore, standstill: Standstill, tmp_path: Path
) -> None:
    await asyncio.gather(*(store.add(new(one, b"x" * 50_000)) for one in numbered(4)))
    still = await standstill.begin()
    bad = tmp_path / "bad.db"
    content = bytearray(still.path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    bad.write_bytes(content)
    target = tmp_path / "copy.db"
    with backup.beside(target) as copied, pytest.raises(StoreError, match="no backup was made"):
        backup.copy(replace(still, path=bad), copied, going_on=lambda done: None)
        backup.finish(copied, still, target, force=False)
    assert not target.exists()


async def test_a_stopped_queue_is_one_file(store: SqliteStore, database: Database, tmp_path: Path) -> None:
    held = await put(store, *numbered(7))
    await database.close()
    made(backup.at_rest(database.path), tmp_path / "copy.db")
    assert sorted(await found(tmp_path / "copy.db")) == sorted(ids(held))
    with pytest.raises(StoreError, match="nothing to back up"):
        backup.at_rest(tmp_path / "nowhere.db")
    assert not (tmp_path / "nowhere.db").exists()


async def test_a_log_of_another_file_is_not_read_into_a_backup(
    store: SqliteStore, database: Database, standstill: Standstill, tmp_path: Path
) -> None:
    await put(store, *numbered(3))
    backup.check_log(database.path)
    backup.check_log(tmp_path / "nowhere.db")
    still = await standstill.begin()
    made(still, tmp_path / "copy.db")
    backup.check_log(tmp_path / "copy.db")
    (tmp_path / "copy.db-wal").write_bytes(database.path.with_name("queue.db-wal").read_bytes() or b"x")
    with pytest.raises(StoreError, match="does not belong"):
        backup.check_log(tmp_path / "copy.db")


async def test_no_name_of_the_moment_is_left_after_a_fault(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), backup.beside(tmp_path / "copy.db") as copied:
        copied.write_bytes(b"x")
        copied.with_name(copied.name + "-journal").write_bytes(b"x")
        raise OSError("full")
    assert list(tmp_path.iterdir()) == []


async def test_what_is_finished_is_not_counted_as_waiting(
    store: SqliteStore, standstill: Standstill, tmp_path: Path
) -> None:
    for number, state in enumerate(MessageState):
        await put(store, replace(in_state(state), id=f"k7fm2xqp9d{number:02}"))
    still = await standstill.begin()
    target = tmp_path / "copy.db"
    with backup.beside(target) as copied:
        backup.copy(still, copied, going_on=lambda done: None)
        assert backup.finish(copied, still, target, force=False).unfinished == 6
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


async def test_the_log_is_not_emptied_while_somebody_copies(
    database: Database, standstill: Standstill
) -> None:
    await standstill.begin()
    await put(SqliteStore(database), *numbered(3))
    size = _log(database)
    assert size > 0
    await database.read(steps.empty_log)
    assert _log(database) == size
