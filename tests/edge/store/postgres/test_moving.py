"""A queue moves whole or not at all, and is in one place at every moment."""

import secrets
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from mailguard.core.errors import StoreError
from mailguard.core.policy import Notify
from mailguard.core.preference import Preference
from mailguard.core.states import MessageState
from mailguard.edge.store import (
    Database,
    SqliteMemory,
    SqliteOutbox,
    SqlitePreferences,
    SqliteRecords,
    SqliteSessions,
    SqliteStore,
    SqliteTokens,
    moved,
    pieces,
)
from mailguard.edge.store.postgres import (
    Lease,
    PostgresMemory,
    PostgresOutbox,
    PostgresPreferences,
    PostgresRecords,
    PostgresSessions,
    PostgresStore,
    PostgresTokens,
    SharedDatabase,
    agreed_key,
    moving,
)
from mailguard.ports import Page
from tests.edge.store.contract_access import ANN, READER
from tests.edge.store.contract_outbox import dispatch
from tests.edge.store.contract_records import entry, whole
from tests.edge.store.contract_resubmission import mark
from tests.edge.store.samples import CONTENT, LATER, RecordingLog, cancelled, new, numbered, put
from tests.making import NOW, in_state, message
from tests.postgres_server import Server

KEY = secrets.token_bytes(32)
EVERYBODY = Page(finished=True, limit=1000)


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A queue with something of everything in it, closed."""
    database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
    store, memory = SqliteStore(database), SqliteMemory(database)
    for n, state in enumerate(MessageState):
        await put(store, replace(in_state(state), id=f"k7fm2xqp9d{n:02}"))
    [odd] = await put(store, message(id="odd", subject="é \0 \udce9", sender="Ü@corp.example"))
    assert await store.apply(cancelled(odd))
    await put(store, *numbered(8))
    await store.claim(LATER, 2)
    await store.add(new(message(id="marked")), mark(1))
    await store.add(new(message(id="large"), CONTENT + b"x" * 1_200_000))
    await memory.learn("2@x", ["1@x"], ["a@x", "é@x"])
    await memory.learn("4@x", ["3@x"], ["c@x"])
    await memory.learn("5@x", ["1@x", "4@x"], ["b@x"])
    records = SqliteRecords(database)
    await records.append([entry(1, 50), entry(2, 10)], source="/mail/é", place="7")
    await records.add_meant("anne@corp.example", [("first_contact", "b@x")])
    await SqlitePreferences(database).set("anne", Preference(language="fr", notify=Notify.NEVER))
    await SqliteSessions(database).begin(ANN)
    await SqliteTokens(database).add(READER)
    await SqliteOutbox(database).put([dispatch("n1"), dispatch("n2")])
    await database.close()
    return tmp_path / "queue.db"


async def contents(store: SqliteStore | PostgresStore) -> dict[str, object]:
    """All messages with their bytes and their history."""
    return {
        one.id: (replace(one, subject=""), await store.content(one.id), await store.events(one.id))
        for one in await store.page(EVERYBODY)
    }


async def test_all_of_it_arrives(old: Path, url: str, log: RecordingLog) -> None:
    database = await Database.open(old, log=log)
    before = await contents(SqliteStore(database))
    census = await SqliteStore(database).census(NOW)
    await database.close()
    await moving.prepare(url, log)
    told: list[tuple[int, int]] = []
    arrived = moving.move(old, url, KEY, going_on=lambda done, of: told.append((done, of)))
    assert arrived.messages == len(before)
    assert told[-1] == (len(before), len(before))
    shared = await SharedDatabase.open(url, log=log)
    store = PostgresStore(shared, lease=moving_lease(shared))
    assert await contents(store) == before
    assert await store.census(NOW) == census
    # What the stopped guard had in hand is in nobody's hands.
    assert len(await store.stranded()) == 3
    first = await store.add(new(message(id="again")), mark(1))
    assert first is not None
    assert first.id == "marked"
    await put(store, message(id="next"))
    assert (await PostgresMemory(shared).thread(["3@x"])).participants == {"a@x", "b@x", "c@x", "é@x"}
    records = PostgresRecords(shared)
    assert [one.mark for one in await whole(records)] == [2, 1]
    [number] = await records.append([entry(3, 5)])
    assert number > 2
    assert await records.place("/mail/é") == "7"
    assert await records.meant() == {"anne@corp.example": {("first_contact", "b@x")}}
    assert (await PostgresPreferences(shared).of("anne")).language == "fr"
    assert await PostgresSessions(shared).find(ANN.digest) == ANN
    assert await PostgresTokens(shared).find(READER.digest) == READER
    later = NOW + timedelta(days=1)
    assert len(await PostgresOutbox(shared).take("one", later, later, 9)) == 2
    assert await shared.read(agreed_key, secrets.token_bytes(32)) == KEY
    await PostgresMemory(shared).learn("9@x", [], ["z@x"])
    await store.close()


def moving_lease(shared: SharedDatabase) -> Lease:
    return Lease(shared, name="a")


async def test_afterwards_the_old_one_is_not_used(old: Path, url: str, log: RecordingLog) -> None:
    await moving.prepare(url, log)
    moving.move(old, url, KEY)
    with pytest.raises(StoreError, match="was moved"):
        await Database.open(old, log=log)
    with pytest.raises(StoreError, match="was moved"):
        moving.move(old, url, KEY)


async def test_what_was_cut_off_after_the_commit_is_only_noted(
    old: Path, url: str, log: RecordingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moving.prepare(url, log)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(moved, "finish", die)
        moving.move(old, url, KEY)
    with pytest.raises(StoreError, match="cut off"):
        await Database.open(old, log=log)
    # Meanwhile a guard may have gone on in the new place; nothing is copied over it.
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE message SET state = 'frozen' WHERE id = 'marked'")
    moving.move(old, url, KEY)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT state FROM message WHERE id = 'marked'").fetchone() == ("frozen",)


async def test_what_was_cut_off_goes_on_to_the_same_place_alone(
    old: Path, url: str, server: Server, log: RecordingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it may have arrived there, and would leave from both."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE elsewhere")
    elsewhere = server.url.replace("/postgres?", "/elsewhere?")
    for place in (url, elsewhere):
        await moving.prepare(place, log)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(moved, "finish", die)
        moving.move(old, url, KEY)
    with pytest.raises(StoreError, match="finish it there"):
        moving.move(old, elsewhere, KEY)
    with psycopg.connect(elsewhere) as connection:
        assert connection.execute("SELECT count(*) FROM message").fetchone() == (0,)
    with pytest.raises(StoreError, match="cut off"):
        await Database.open(old, log=log)
    assert moving.move(old, url, KEY).messages > 0


async def test_what_was_cut_off_before_the_commit_begins_anew(
    old: Path, url: str, log: RecordingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moving.prepare(url, log)

    def die(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(old, url, KEY, going_on=die)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM message").fetchone() == (0,)
    assert moving.move(old, url, KEY).messages > 0


async def test_a_place_that_is_taken_is_left_alone(old: Path, url: str, log: RecordingLog) -> None:
    shared = await SharedDatabase.open(url, log=log)
    store = PostgresStore(shared, lease=moving_lease(shared))
    await put(store, message(id="mine"))
    with pytest.raises(StoreError, match="name an empty database"):
        moving.move(old, url, KEY)
    assert [one.id for one in await store.page(EVERYBODY)] == ["mine"]
    await store.close()
    # And the guard goes on where it was.
    await (await Database.open(old, log=log)).close()


async def test_a_row_that_cannot_be_read_stops_it(old: Path, url: str, log: RecordingLog) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE message SET state = 'beamed' WHERE id = 'marked'")
        connection.commit()
    await moving.prepare(url, log)
    with pytest.raises(StoreError, match="marked cannot be read"):
        moving.move(old, url, KEY)
    await (await Database.open(old, log=log)).close()


async def test_what_arrives_changed_is_not_committed(
    old: Path, url: str, log: RecordingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moving.prepare(url, log)
    turns = iter(range(99))
    with monkeypatch.context() as patch:
        patch.setattr(pieces, "body", lambda source, number: f"{next(turns)}".encode())
        with pytest.raises(StoreError, match="not what was sent"):
            moving.move(old, url, KEY)
    assert moving.move(old, url, KEY).size >= len(CONTENT)
