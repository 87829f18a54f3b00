"""The queue on SQLite: the contract, and what is particular to it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from mailguard.core.errors import StoreError, StoreFull
from mailguard.core.states import MessageState
from mailguard.edge.store import taking
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from mailguard.ports import Page
from tests.edge.store.contract import StoreContract
from tests.edge.store.contract_list import ListContract
from tests.edge.store.contract_races import RaceContract
from tests.edge.store.samples import (
    CONTENT,
    LATER,
    RecordingLog,
    cancelled,
    claimed_ids,
    ids,
    new,
    numbered,
    put,
    settled,
)
from tests.making import NOW, in_state, message


class TestStore(StoreContract):
    """The contract of one message."""


class TestRaces(RaceContract):
    """The contract of many at once."""


class TestList(ListContract):
    """The contract of the list."""


async def spoil(database: Database, statement: str, *values: object) -> None:
    """Write into the file what the guard never would."""

    def change(connection: sqlite3.Connection, jobs: object) -> list[None]:
        connection.execute(statement, values)
        return [None]

    await database.write(change, None)


async def test_a_row_that_cannot_be_read_hides_no_other(
    store: SqliteStore, database: Database, log: RecordingLog
) -> None:
    held = await put(store, *numbered(5))
    await spoil(database, "UPDATE message SET state = 'levitating' WHERE id = ?", held[0].id)
    await spoil(database, "UPDATE recipient SET due_at = 'soon' WHERE message = 2")
    with pytest.raises(StoreError, match=r"levitating.*doctor"):
        await store.find(held[0].id)
    assert ids(await store.page(Page(limit=3))) == ids(held[2:])
    assert ids(await store.page(Page(limit=2))) == ids(held[2:4])
    assert claimed_ids(await store.claim(LATER, 2)) == ids(held[2:4])
    assert {fields["id"] for name, fields in log.troubles if name == "unreadable_message"} >= {held[1].id}
    assert sum((await store.census(NOW)).by_state.values()) == 4


async def test_a_message_without_its_bytes_is_not_relayed_and_not_in_the_way(
    store: SqliteStore, database: Database, log: RecordingLog
) -> None:
    held = await put(store, *numbered(3))
    await spoil(database, "DELETE FROM body WHERE message = 1")
    assert claimed_ids(await store.claim(LATER, 2)) == ids(held[1:])
    assert ("body_missing", {"id": held[0].id}) in log.troubles
    assert (await store.find(held[0].id)).state is MessageState.HELD


async def test_a_claim_does_not_fill_the_memory(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "CLAIM_BYTES", 2 * len(CONTENT) + 1)
    held = await put(store, *numbered(5))
    # As many as fit, and the one that makes it full.
    assert claimed_ids(await store.claim(LATER, 5)) == ids(held[:3])
    assert claimed_ids(await store.claim(LATER, 5)) == ids(held[3:])


async def test_new_mail_is_refused_before_the_disk_is_full_and_old_mail_goes_on(
    store: SqliteStore, database: Database
) -> None:
    [held, other] = await put(store, *numbered(2))
    full = SqliteStore(database, reserve=1 << 60)
    results = await asyncio.gather(
        full.add(new(message())), full.apply(cancelled(held)), return_exceptions=True
    )
    assert isinstance(results[0], StoreFull)
    assert results[1] is True
    [claimed] = await full.claim(LATER, 5)
    assert claimed.message.id == other.id
    assert await full.apply(settled(claimed.message))


async def test_a_full_file_is_told_and_gone_on_from(store: SqliteStore, database: Database) -> None:
    [held] = await put(store, message())
    [(pages,)] = await database.read(lambda c: c.execute("PRAGMA page_count").fetchall())
    await database.read(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 20}").fetchall())
    large = [new(one, b"x" * 30_000) for one in numbered(4)]
    results = await asyncio.gather(*(store.add(one) for one in large), return_exceptions=True)
    # Two find room, whoever they are queued with.
    assert [type(result) for result in results] == [type(None), type(None), StoreFull, StoreFull]
    assert await store.apply(cancelled(held))
    await database.read(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchall())
    await store.add(large[2])
    assert await store.content(large[2].message.id) == b"x" * 30_000


async def test_the_file_shrinks_when_messages_are_forgotten(store: SqliteStore, database: Database) -> None:
    done = [replace(one, state=MessageState.SENT, finished_at=NOW) for one in numbered(40)]
    await asyncio.gather(*(store.add(new(one, b"x" * 300_000)) for one in done))
    await database.read(lambda c: c.execute("PRAGMA wal_checkpoint").fetchall())
    before = database.path.stat().st_size
    assert before > 40 * 300_000
    touched: list[int] = []
    while not touched or touched[-1]:
        touched.append(await store.forget(LATER, LATER, 1000))
    # Bytes a bite at a time, then the messages.
    assert sum(touched) == 80
    assert len(touched) > 3
    assert database.path.stat().st_size < before / 10


async def test_the_log_is_bounded_while_somebody_reads_a_long_list(
    store: SqliteStore, database: Database
) -> None:
    large = [new(one, b"x" * 500_000) for one in numbered(80)]

    async def read() -> None:
        while not done.is_set():
            await store.page(Page(limit=200))

    done = asyncio.Event()
    reading = [asyncio.create_task(read()) for _ in range(3)]
    for start in range(0, len(large), 4):
        await asyncio.gather(*(store.add(one) for one in large[start : start + 4]))
    done.set()
    await asyncio.gather(*reading)
    log = database.path.with_name("queue.db-wal").stat().st_size
    # 1000 pages, and what the last transaction brought on top.
    assert log < 12 * 1024 * 1024 < database.path.stat().st_size


async def test_forgotten_bytes_are_overwritten(store: SqliteStore, database: Database) -> None:
    secret = b"the merger is called off " * 400
    await store.add(new(replace(in_state(MessageState.CANCELLED)), secret))
    await database.read(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    assert b"merger is called off" in database.path.read_bytes()
    await store.forget(NOW, LATER, 10)
    await database.read(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    assert b"merger is called off" not in database.path.read_bytes()


async def test_no_part_of_a_message_is_left_without_it(store: SqliteStore, database: Database) -> None:
    held = await put(store, *numbered(10))
    for claimed in await store.claim(LATER, 5):
        assert await store.apply(settled(claimed.message))
    assert await store.apply(cancelled(held[7]))
    await store.forget(LATER + timedelta(days=1), LATER + timedelta(days=1), 100)
    assert await database.read(lambda c: c.execute("PRAGMA foreign_key_check").fetchall()) == []
    assert await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
    [(bodies, messages)] = await database.read(
        lambda c: c.execute("SELECT (SELECT count(*) FROM body), (SELECT count(*) FROM message)").fetchall()
    )
    assert (bodies, messages) == (4, 4)


async def _instructions(database: Database, store: SqliteStore) -> dict[str, int]:
    """How much work SQLite has with each question, in steps of its machine."""
    long_ago = NOW - timedelta(days=9)
    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "claim": lambda: store.claim(long_ago, 10),
        "page": lambda: store.page(Page(limit=5)),
        "sender": lambda: store.page(Page(limit=5, sender="a@corp.example")),
        "cancelled": lambda: store.page(Page(limit=5, states=frozenset({MessageState.CANCELLED}))),
        "census": lambda: store.census(NOW),
        "next_due": store.next_due,
        "expired": lambda: store.expired(NOW, 10),
        "stranded": store.stranded,
        "forget": lambda: store.forget(long_ago, long_ago, 10),
        "find": lambda: store.find("k7fm2xq"),
    }
    costs = {}
    for name, question in questions.items():
        counted: list[int] = []
        await database.read(sqlite3.Connection.set_progress_handler, partial(counted.append, 1), 1)
        await question()
        await database.read(sqlite3.Connection.set_progress_handler, None, 1)
        costs[name] = len(counted)
    return costs


async def test_what_is_finished_costs_the_rest_nothing(store: SqliteStore, database: Database) -> None:
    await put(store, message(), replace(in_state(MessageState.APPROVAL), id="k8fm2xqp9d3t"))
    few = await _instructions(database, store)
    done = [replace(one, state=MessageState.SENT, finished_at=NOW, body_kept=False) for one in numbered(1500)]
    await put(store, *done)
    many = await _instructions(database, store)
    # A step or two more for a taller tree.
    assert {name: cost for name, cost in many.items() if cost > few[name] + 100} == {}
