"""Large bodies in pieces: others have their turn in between, and a body is there whole or not at all."""

import asyncio
import itertools
import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.errors import NoSuchMessage, StoreError, StoreFull
from mailguard.core.hold import NewMessage
from mailguard.core.states import MessageState
from mailguard.edge.store import pieces
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.pieces import PIECE
from mailguard.edge.store.sqlite import Database
from tests.edge.store.contract_resubmission import mark
from tests.edge.store.samples import LATER, RecordingLog, new, numbered, put, settled
from tests.edge.store.test_messages import spoil
from tests.edge.store.test_sqlite import commits, shut
from tests.making import NOW, in_state, message

LARGE = 3 * PIECE + 1000
SECRET = b"the merger is called off "


def large(**changes: str) -> NewMessage:
    """A message of four pieces that somebody could find in a file."""
    return new(message(**changes), (SECRET * (LARGE // len(SECRET) + 1))[:LARGE])


async def left(database: Database) -> tuple[int, int, int]:
    """How many pieces there are, how many uploads are loose, how many bodies."""
    [(found, loose, bodies)] = await database.read(
        lambda c: c.execute(
            "SELECT (SELECT count(*) FROM piece), (SELECT count(*) FROM loose), (SELECT count(*) FROM body)"
        ).fetchall()
    )
    return found, loose, bodies


async def empty_log(database: Database) -> bytes:
    """The file, with the log written back."""
    await database.read(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    return database.path.read_bytes()


def pausing(
    database: Database, monkeypatch: pytest.MonkeyPatch, after: int
) -> tuple[asyncio.Event, asyncio.Event]:
    """Writing stands still before a job, once so many are done; the events tell that, and let it go on."""
    reached, going_on = asyncio.Event(), asyncio.Event()
    write, done = database.write, 0

    async def paused(*job: object, **how: object) -> object:
        nonlocal done
        done += 1
        if done == after + 1:
            reached.set()
            await going_on.wait()
        return await write(*job, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "write", paused)
    return reached, going_on


async def test_each_piece_is_a_transaction(store: SqliteStore, database: Database) -> None:
    seen = await commits(database)
    await store.add(large())
    # The last is that of the message.
    assert seen == ["COMMIT"] * 5
    assert await left(database) == (4, 0, 1)


async def test_what_fits_into_one_piece_is_in_the_message(store: SqliteStore, database: Database) -> None:
    await store.add(new(message(), b"x" * PIECE))
    assert await left(database) == (0, 0, 1)


async def test_others_are_served_in_between_and_nobody_sees_half_of_it(
    store: SqliteStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, going_on = pausing(database, monkeypatch, 2)
    coming = asyncio.create_task(store.add(large()))
    await reached.wait()
    [small] = await put(store, *numbered(1))
    assert await store.find(small.id) == small
    with pytest.raises(NoSuchMessage):
        await store.find(message().id)
    # What is just coming is not swept away.
    await store.forget(LATER, LATER, 10)
    assert (await left(database))[:2] == (2, 1)
    going_on.set()
    await coming
    assert await store.content(message().id) == large().content
    assert await left(database) == (4, 0, 2)


async def test_small_ones_wait_for_one_piece_and_not_for_all(store: SqliteStore) -> None:
    order: list[str] = []

    async def adding(one: NewMessage, name: str) -> None:
        await store.add(one)
        order.append(name)

    held = numbered(6)
    many = [adding(new(one, b"x" * 4 * LARGE), "large") for one in held[:3]]
    await asyncio.gather(*many, *(adding(new(one), "small") for one in held[3:]))
    assert order == ["small"] * 3 + ["large"] * 3


async def test_a_second_one_leaves_nothing(store: SqliteStore, database: Database) -> None:
    assert await store.add(large(), mark(1)) is None
    first = await store.add(large(id="b7fm2xqp9d3t"), mark(1))
    assert first is not None and first.id == message().id
    assert await left(database) == (4, 0, 1)


async def test_what_is_refused_leaves_nothing(store: SqliteStore, database: Database) -> None:
    await put(store, message())
    with pytest.raises(StoreError):
        await store.add(large())
    assert await left(database) == (0, 0, 1)
    assert SECRET not in await empty_log(database)


async def test_who_gives_up_leaves_nothing(
    store: SqliteStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, _ = pausing(database, monkeypatch, 2)
    coming = asyncio.create_task(store.add(large()))
    await reached.wait()
    coming.cancel()
    await asyncio.wait({coming})
    assert await left(database) == (0, 0, 0)


async def test_who_gives_up_while_a_piece_waits_leaves_nothing(
    store: SqliteStore, database: Database, log: RecordingLog
) -> None:
    """The piece is written all the same, as everything that the store was given."""
    gate = await shut(database)
    coming = asyncio.create_task(store.add(large()))
    await asyncio.sleep(0)
    coming.cancel()
    await asyncio.sleep(0)
    await gate.open()
    await asyncio.wait({coming})
    await store.forget(NOW, NOW, 10)
    assert await left(database) == (0, 0, 0)
    assert log.troubles == []


@pytest.mark.parametrize("after", range(5))
async def test_a_crash_at_any_piece_leaves_nothing_for_long(
    store: SqliteStore,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    after: int,
) -> None:
    """The files as a kill leaves them, before each transaction, the message's own the last."""
    reached, going_on = pausing(database, monkeypatch, after)
    coming = asyncio.create_task(store.add(large()))
    await reached.wait()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for end in ("", "-wal", "-trace"):
        shutil.copy(f"{database.path}{end}", crashed)
    going_on.set()
    await coming
    again = await Database.open(crashed / "queue.db", log=RecordingLog())
    try:
        assert await left(again) == (after, min(after, 1), 0)
        await SqliteStore(again).forget(NOW, NOW, 10)
        assert await left(again) == (0, 0, 0)
        assert SECRET not in await empty_log(again)
    finally:
        await again.close()


async def test_a_disk_that_is_full_in_the_middle_leaves_nothing(
    store: SqliteStore, database: Database
) -> None:
    [(pages,)] = await database.read(lambda c: c.execute("PRAGMA page_count").fetchall())
    await database.read(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 300}").fetchall())
    with pytest.raises(StoreFull):
        await store.add(large())
    assert await left(database) == (0, 0, 0)
    await put(store, message())


async def test_a_disk_without_room_for_all_of_it_gets_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(database, reserve=0)
    seen = await commits(database)
    usage = shutil.disk_usage(database.path)
    # Room for one piece and not for four.
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3 * PIECE))
    with pytest.raises(StoreFull):
        await store.add(large())
    assert await left(database) == (0, 0, 0)
    assert len(seen) == 2, "the first piece was refused, and what was loose looked for"
    await store.add(new(message(), b"x" * PIECE))


async def test_a_message_is_never_without_its_pieces(
    store: SqliteStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever has removed them meanwhile."""
    reached, going_on = pausing(database, monkeypatch, 4)
    coming = asyncio.create_task(store.add(large()))
    await reached.wait()
    await database.read(lambda c: pieces._clear(c, [set()]))
    await database.read(lambda c: c.execute("DELETE FROM loose").fetchall())
    going_on.set()
    with pytest.raises(StoreError, match="was removed before the message was there"):
        await coming
    with pytest.raises(NoSuchMessage):
        await store.find(message().id)


async def leave(store: SqliteStore) -> None:
    [claimed] = await store.claim(LATER, 5)
    assert await store.apply(settled(claimed.message))


async def stop(store: SqliteStore) -> None:
    """Stopped, and nobody can take it back any more."""
    later = LATER + timedelta(days=30)
    while await store.forget(NOW, later, 10):
        pass


@pytest.mark.parametrize("end", [leave, stop])
async def test_no_byte_is_left_behind(
    store: SqliteStore, database: Database, end: Callable[[SqliteStore], Awaitable[None]]
) -> None:
    state = MessageState.CANCELLED if end is stop else MessageState.HELD
    await store.add(replace(large(), message=replace(in_state(state), size=LARGE)))
    assert SECRET in await empty_log(database)
    await end(store)
    assert await left(database) == (0, 0, 0)
    assert SECRET not in await empty_log(database)
    assert await store.content(message().id) is None


async def test_what_was_not_removed_goes_the_next_time(store: SqliteStore, database: Database) -> None:
    await store.add(large())
    await spoil(database, "CREATE TRIGGER stuck BEFORE DELETE ON piece BEGIN SELECT raise(ABORT, 'no'); END")
    await leave(store)
    assert await left(database) == (4, 1, 0)
    await spoil(database, "DROP TRIGGER stuck")
    await store.forget(NOW, NOW, 10)
    assert await left(database) == (0, 0, 0)


async def test_what_is_large_is_removed_a_piece_at_a_time(store: SqliteStore, database: Database) -> None:
    await store.add(new(message(), random.Random(1).randbytes(10 * PIECE)))
    written: list[int] = []

    def pages(connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("PRAGMA freelist_count").fetchone()
        written.append(count)

    [claimed] = await store.claim(LATER, 5)
    applying = asyncio.create_task(store.apply(settled(claimed.message)))
    while not applying.done():
        await database.read(pages)
    steps = [after - before for before, after in itertools.pairwise(written)]
    assert len(set(written)) > 4
    assert max(steps) <= 2 * PIECE // 4096 + 10
