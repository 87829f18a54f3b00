"""From every schema there ever was to the one of now: nothing lost, nothing else than a fresh one; cut off in
the middle, it is as it was before."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.states import MessageState, RecipientState
from mailguard.edge.store import Database, SqliteMemory, SqliteStore, migrate
from mailguard.ports import Page
from tests import guard as guards
from tests.edge.store.samples import RecordingLog
from tests.upgrade import (
    fifth_schema,
    first_schema,
    fourth_schema,
    second_schema,
    sixth_schema,
    third_schema,
)

# One for each released schema but the newest.
EARLIER: dict[int, Callable[[Path], None]] = {
    1: first_schema.make,
    2: second_schema.make,
    3: third_schema.make,
    4: fourth_schema.make,
    5: fifth_schema.make,
    6: sixth_schema.make,
}
FIRST = ("message", "recipient", "body", "event", "tally", "thread", "thread_message", "participant")
# The tables with rows in them, of each schema.
SECOND = (*FIRST, "submission")
THIRD = (*SECOND, "observation", "meant", "learning")
FOURTH = (*THIRD, "preference")
FIFTH = (*FOURTH, "session", "token")
TABLES = {1: FIRST, 2: SECOND, 3: THIRD, 4: FOURTH, 5: FIFTH, 6: (*FIFTH, "outbox")}
Rows = dict[str, list[tuple[Any, ...]]]


def content(path: Path, number: int, like: Rows | None = None) -> Rows:
    """Every row of the tables that this schema had; with `like`, of the columns that it had then. New ones
    come behind the others."""
    with closing(sqlite3.connect(path)) as connection:
        found = {
            name: connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
            for name in TABLES[number]
        }
    wide = {name: len(rows[0]) for name, rows in (like or {}).items()}
    return {name: sorted((row[: wide.get(name)] for row in rows), key=repr) for name, rows in found.items()}


def shape(path: Path) -> dict[str, object]:
    """The schema, however it came to be."""
    with closing(sqlite3.connect(path)) as connection:
        objects = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'schema_version'"
        ).fetchall()
        tables = [name for kind, name, _, _ in objects if kind == "table"]
        return {
            "objects": sorted(
                (kind, name, table, " ".join((sql or "").split())) for kind, name, table, sql in objects
            ),
            "columns": {
                name: connection.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in tables
            },
            "indexes": {
                name: sorted(i[1:] for i in connection.execute(f"PRAGMA index_list({name})"))
                for name in tables
            },
            "auto_vacuum": connection.execute("PRAGMA auto_vacuum").fetchone(),
        }


async def opened_once(path: Path) -> None:
    database = await Database.open(path, log=RecordingLog())
    await database.close()


def sent(message_id: str, shown: guards.Message) -> bool:
    return bool(shown["id"] == message_id and shown["state"] == "sent")


def test_there_is_a_generator_for_every_earlier_schema() -> None:
    assert sorted(EARLIER) == [one.number for one in migrate.load("sqlite")][:-1]


@pytest.mark.parametrize("number", EARLIER)
async def test_everything_is_there_and_the_schema_is_that_of_a_fresh_one(tmp_path: Path, number: int) -> None:
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    EARLIER[number](old)
    before = content(old, number)
    assert min(map(len, before.values())) > 0
    await opened_once(old)
    await opened_once(fresh)
    assert content(old, number, before) == before
    assert shape(old) == shape(fresh)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_messages_of_the_first_schema_are_read_as_they_were_meant(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    first_schema.make(path)
    database = await Database.open(path, log=RecordingLog())
    try:
        store = SqliteStore(database)
        held = {one.state: one for one in await store.page(Page(finished=True))}
        assert set(held) == set(MessageState)
        one = held[MessageState.HELD]
        assert (one.id, one.version, one.subject, one.user) == (first_schema.id_of("held"), 1, "Coût", "a")
        assert one.parameters.hold_until == datetime(2026, 11, 22, 10, 5, 3, tzinfo=UTC)
        assert one.findings[0].parameters == {"thread": "3"}
        assert [r.state for r in held[MessageState.QUEUED].recipients] == [RecipientState.DEFERRED] * 2
        assert await store.content(one.id) == first_schema.BODY % 1
        assert [event.event for event in await store.events(one.id)] == ["received", "extend"]
        assert await store.restored_from() is None
        now = datetime(2026, 11, 23, tzinfo=UTC)
        claimed = await store.claim(now, 10)
        assert {c.message.id for c in claimed} == {first_schema.id_of("held"), first_schema.id_of("queued")}
        assert (await store.census(now)).by_state[MessageState.SENT] == 1
        assert isinstance(SqliteMemory(database), SqliteMemory)
    finally:
        await database.close()


KILLED = """
import os, signal, sqlite3, sys
from datetime import UTC, datetime
from pathlib import Path
from mailguard.edge.store import migrate

path, at = Path(sys.argv[1]), int(sys.argv[2])
connection = sqlite3.connect(path, isolation_level=None)
seen = 0

def count(statement):
    global seen
    seen += 1
    if seen == at:
        os.kill(os.getpid(), signal.SIGKILL)

connection.set_trace_callback(count)
migrate.upgrade(connection, path, migrate.load("sqlite"), datetime.now(UTC))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", EARLIER)
async def test_a_kill_in_the_middle_leaves_it_as_it_was_and_the_next_start_goes_on(
    tmp_path: Path, number: int
) -> None:
    original = tmp_path / "old.db"
    EARLIER[number](original)
    before, first_shape = content(original, number), shape(original)
    outcomes = []
    for at in range(1, 100):
        path = tmp_path / f"killed{at}.db"
        path.write_bytes(original.read_bytes())
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(at)], check=False, timeout=60)
        if done.returncode == 0:
            break
        assert done.returncode == -9
        with closing(sqlite3.connect(path)) as connection:
            [(newest,)] = connection.execute("SELECT max(number) FROM schema_version").fetchall()
        assert content(path, number, before) == before
        if newest == number:
            assert shape(path) == first_shape
        outcomes.append(newest)
        await opened_once(path)
        assert content(path, number, before) == before
        await opened_once(tmp_path / "fresh.db")
        assert shape(path) == shape(tmp_path / "fresh.db")
    # At the beginning, inside of every statement, and before the commit.
    assert len(outcomes) > 6
    # Each step is whole or not there; the newest is never claimed before it is done.
    assert outcomes[0] == number
    assert set(outcomes) <= set(range(number, len(migrate.load("sqlite"))))


def test_a_guard_that_is_too_old_says_so_and_changes_nothing(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"})
    guard.start()
    assert guard.stop() == 0
    path = tmp_path / "state" / "queue.db"
    newest = len(migrate.load("sqlite"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO schema_version VALUES (?, 'of_tomorrow', 'x', 'now')", (newest + 1,))
        connection.execute("ALTER TABLE message ADD COLUMN tomorrow TEXT")
    before = shape(path)
    refused = guard.verb("serve")
    assert refused.returncode == 1
    assert f"it has schema {newest + 1}, this one knows schemas up to {newest}" in refused.stderr
    assert "install that version again, or restore the backup made before the upgrade" in refused.stderr
    assert "Traceback" not in refused.stderr
    asked = guard.verb("queue")
    assert asked.returncode != 0
    assert "newer mailguard" in asked.stderr
    assert shape(path) == before


async def test_a_guard_of_now_goes_on_where_the_first_one_stopped(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"})
    (tmp_path / "state").mkdir(mode=0o700)
    path = tmp_path / "state" / "queue.db"
    first_schema.make(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        # Whenever this test is run, its wait is not over.
        connection.execute("UPDATE message SET expires_at = '2999-01-01T00:00:00.000000Z' WHERE n = 4")
    guard.start()
    try:
        states = {message["id"]: message["state"] for message in guard.ask("queue", "--all")}
        assert len(states) >= len(first_schema.STATES)
        assert guard.raw(first_schema.id_of("approval")) == first_schema.BODY % 4
        for was in ("held", "queued", "relaying"):
            guard.wait_for(partial(sent, first_schema.id_of(was)))
    finally:
        assert guard.stop() == 0
