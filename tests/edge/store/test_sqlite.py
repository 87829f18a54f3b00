"""The database's task: group commit, what a failure or a cancel touches, and that the thread ends."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.errors import NoSuchMessage, StoreError
from mailguard.edge.store import sqlite
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from mailguard.ports import Page
from tests.edge.store.samples import RecordingLog, cancelled, new, numbered, put
from tests.making import message


class Gate:
    """Holds the database's thread until it is opened, so that what is asked meanwhile waits together."""

    def __init__(self, database: Database) -> None:
        self._entered = threading.Event()
        self._opened = threading.Event()
        self._task = asyncio.create_task(database.read(self._wait))

    def _wait(self, connection: sqlite3.Connection) -> None:
        self._entered.set()
        assert self._opened.wait(20)

    async def closed(self) -> None:
        await asyncio.to_thread(self._entered.wait, 20)

    async def open(self) -> None:
        self._opened.set()
        await self._task


async def shut(database: Database) -> Gate:
    gate = Gate(database)
    await gate.closed()
    return gate


async def commits(database: Database) -> list[str]:
    """From now on, every statement that ends a transaction."""
    seen: list[str] = []

    def trace(statement: str) -> None:
        if statement in ("COMMIT", "ROLLBACK"):
            seen.append(statement)

    await database.read(sqlite3.Connection.set_trace_callback, trace)
    return seen


async def test_what_waits_together_is_synced_once(store: SqliteStore, database: Database) -> None:
    old = await put(store, *numbered(4))
    seen = await commits(database)
    gate = await shut(database)
    adding = [asyncio.create_task(store.add(new(one))) for one in numbered(50)]
    moving = [asyncio.create_task(store.apply(cancelled(one))) for one in old]
    await asyncio.sleep(0)
    await gate.open()
    await asyncio.gather(*adding, *moving)
    assert seen == ["COMMIT"]


async def test_a_batch_has_a_bound(
    store: SqliteStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BATCH_BYTES", 100_000)
    seen = await commits(database)
    gate = await shut(database)
    waiting = [asyncio.create_task(store.add(new(one, b"x" * 40_000))) for one in numbered(6)]
    waiting.append(asyncio.create_task(store.add(new(message(), b"x" * 500_000))))
    await asyncio.sleep(0)
    await gate.open()
    await asyncio.gather(*waiting)
    assert seen == ["COMMIT"] * 4


async def test_small_ones_do_not_wait_behind_all_the_large_ones(database: Database) -> None:
    together: list[list[str]] = []

    def note(connection: sqlite3.Connection, jobs: Sequence[str]) -> list[None]:
        together.append(list(jobs))
        return [None] * len(jobs)

    def large(name: str) -> Coroutine[Any, Any, None]:
        return database.write(note, name, weight=sqlite.BATCH_BYTES)

    def small(name: str) -> Coroutine[Any, Any, None]:
        return database.write(note, name, weight=1000)

    await asyncio.gather(large("L1"), large("L2"), small("s1"), large("L3"), small("s2"))
    assert together == [["L1"], ["s1", "s2"], ["L2"], ["L3"]]


async def test_one_failure_is_its_own(store: SqliteStore, database: Database) -> None:
    seen = await commits(database)
    gate = await shut(database)
    held = numbered(9)
    jobs = [store.add(new(one)) for one in (*held, held[4])]
    waiting = [asyncio.create_task(job) for job in jobs]
    await asyncio.sleep(0)
    await gate.open()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 9 + [StoreError]
    # All together first; then, because one spoils it, each alone.
    assert seen == ["ROLLBACK", *["COMMIT"] * 9, "ROLLBACK"]


async def test_nobody_sees_what_is_not_on_the_disk_yet(store: SqliteStore, database: Database) -> None:
    inserted, go_on = threading.Event(), threading.Event()

    def half_done(connection: sqlite3.Connection, jobs: Sequence[None]) -> list[None]:
        connection.execute("INSERT INTO thread (messages) VALUES (77)")
        inserted.set()
        assert go_on.wait(20)
        raise ValueError("the second half fails")

    writing = asyncio.create_task(database.write(half_done, None))
    await asyncio.to_thread(inserted.wait, 20)
    asking = asyncio.create_task(
        database.read(lambda c: c.execute("SELECT * FROM thread WHERE messages = 77").fetchall())
    )
    await asyncio.sleep(0.02)
    assert not asking.done()
    go_on.set()
    assert await asking == []
    with pytest.raises(StoreError, match="ValueError"):
        await writing


async def test_a_cancelled_write_is_done_and_leaves_nothing_open(
    store: SqliteStore, database: Database
) -> None:
    [held, other] = await put(store, *numbered(2))
    change = cancelled(held)
    gate = await shut(database)
    settling = asyncio.create_task(store.apply(change))
    reading = asyncio.create_task(store.find(held.id))
    await asyncio.sleep(0)
    settling.cancel()
    reading.cancel()
    await asyncio.sleep(0)
    await gate.open()
    # Whoever gave up may have sent it already: what was to be written down is written down.
    assert await store.find(held.id) == change.after
    assert not await database.read(lambda c: c.in_transaction)
    assert await store.apply(cancelled(other))


async def test_a_cancel_while_the_disk_writes_changes_nothing(store: SqliteStore, database: Database) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection, jobs: Sequence[None]) -> list[None]:
        connection.execute("INSERT INTO thread (messages) VALUES (77)")
        began.set()
        assert go_on.wait(20)
        return [None]

    writing = asyncio.create_task(database.write(slow, None))
    await asyncio.to_thread(began.wait, 20)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    go_on.set()
    await put(store, message())
    assert await database.read(lambda c: c.execute("SELECT messages FROM thread").fetchall()) == [(77,)]


async def test_errors_are_ours_and_name_no_content(store: SqliteStore, database: Database) -> None:
    with pytest.raises(NoSuchMessage):
        await store.find("k7f")
    await put(store, message())
    with pytest.raises(StoreError) as caught:
        await store.add(new(message()))
    assert str(database.path) in str(caught.value)
    assert "CONSTRAINT" in str(caught.value)
    assert message().id not in str(caught.value)
    with pytest.raises(StoreError, match="ZeroDivisionError"):
        await database.read(lambda _: 1 // 0)


async def test_no_log_of_any_level_tells_what_a_message_says(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await store.add(new(message(subject="canary"), b"canary in the body"))
    for _ in range(2):
        await asyncio.gather(store.add(new(message(), b"canary in the body")), return_exceptions=True)
    assert "canary" not in caplog.text
    assert "aiosqlite" in caplog.text


async def test_close_finishes_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    database = await Database.open(path, log=RecordingLog())
    store = SqliteStore(database)
    waiting = [asyncio.create_task(store.add(new(one))) for one in numbered(30)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    await asyncio.gather(*waiting)
    again = await Database.open(path, log=RecordingLog())
    assert len(await SqliteStore(again).page(Page(limit=100))) == 30
    await again.close()
    # Nothing but the one file, and the note that it was there, is left behind by a clean end.
    assert {one.name for one in tmp_path.iterdir()} == {"queue.db", "queue.db-trace"}


async def test_close_ends_the_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
    assert set(threading.enumerate()) > before
    await database.close()
    assert set(threading.enumerate()) == before


async def test_a_failed_open_ends_the_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with pytest.raises(StoreError, match="missing"):
        await Database.open(tmp_path / "missing" / "queue.db", log=RecordingLog())
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("steps", range(4))
async def test_a_cancelled_open_ends_the_thread_and_frees_the_file(tmp_path: Path, steps: int) -> None:
    before = set(threading.enumerate())
    opening = asyncio.create_task(Database.open(tmp_path / "queue.db", log=RecordingLog()))
    for _ in range(steps):
        await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert opening.cancelled()
    assert set(threading.enumerate()) == before
    database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
    await database.close()


def test_a_loop_that_ends_without_a_close_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def crash() -> None:
        database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
        asyncio.get_running_loop().create_task(SqliteStore(database).add(new(message())))
        await asyncio.sleep(0)
        raise RuntimeError("out of here")

    with pytest.raises(RuntimeError):
        asyncio.run(crash())
    assert set(threading.enumerate()) == before


async def test_a_second_opening_is_refused(database: Database) -> None:
    before = set(threading.enumerate())
    with pytest.raises(StoreError, match="another program"):
        await Database.open(database.path, log=RecordingLog())
    assert set(threading.enumerate()) == before
    await put(SqliteStore(database), message())
