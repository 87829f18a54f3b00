"""Migrations: forward only, whole or not at all, and never past what this version knows."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError, UnknownSchema
from mailguard.edge.store import migrate
from mailguard.edge.store.migrate import Migration
from tests.making import NOW

FILE = Path("queue.db")
ONE = Migration(number=1, name="first", sql="CREATE TABLE a (n);\nCREATE TABLE b (n);")
TWO = Migration(number=2, name="second", sql="ALTER TABLE a ADD COLUMN m;\nINSERT INTO b VALUES (1);")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def recorded(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    return connection.execute("SELECT number, name FROM schema_version ORDER BY number").fetchall()


def test_each_step_once_and_in_order(connection: sqlite3.Connection) -> None:
    assert migrate.upgrade(connection, FILE, [ONE], NOW) == 1
    assert migrate.upgrade(connection, FILE, [ONE, TWO], NOW) == 1
    assert migrate.upgrade(connection, FILE, [ONE, TWO], NOW) == 0
    assert recorded(connection) == [(1, "first"), (2, "second")]
    assert connection.execute("SELECT n FROM b").fetchall() == [(1,)]


@pytest.mark.parametrize("done", [[], [ONE]])
def test_a_step_that_fails_leaves_nothing_of_itself(
    connection: sqlite3.Connection, done: list[Migration]
) -> None:
    migrate.upgrade(connection, FILE, done, NOW)
    before = connection.execute("SELECT sql FROM sqlite_master").fetchall()
    number = len(done) + 1
    bad = Migration(number=number, name="bad", sql="CREATE TABLE c (n);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError):
        migrate.upgrade(connection, FILE, [*done, bad], NOW)
    assert not connection.in_transaction
    assert connection.execute("SELECT sql FROM sqlite_master").fetchall() == before


def test_a_newer_schema_is_refused(connection: sqlite3.Connection) -> None:
    migrate.upgrade(connection, FILE, [ONE, TWO], NOW)
    with pytest.raises(UnknownSchema, match=r"queue\.db.*newer mailguard.*schema 2.*up to 1.*backup"):
        migrate.upgrade(connection, FILE, [ONE], NOW)


def test_a_step_that_was_changed_is_refused(connection: sqlite3.Connection) -> None:
    migrate.upgrade(connection, FILE, [ONE], NOW)
    changed = Migration(number=1, name="first", sql=ONE.sql + " ")
    with pytest.raises(UnknownSchema, match="0001_first"):
        migrate.upgrade(connection, FILE, [changed, TWO], NOW)
    assert recorded(connection) == [(1, "first")]


def test_the_database_of_another_program_is_left_alone(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE bookmarks (n)")
    with pytest.raises(StoreError, match="another program"):
        migrate.upgrade(connection, FILE, [ONE], NOW)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


def test_the_files_are_numbered_without_a_gap(tmp_path: Path) -> None:
    numbers = [one.number for one in migrate.load("sqlite")]
    assert numbers == list(range(1, len(numbers) + 1))
    folder = tmp_path / "sqlite"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("SELECT 1;")
    (folder / "0003_third.sql").write_text("SELECT 1;")
    (folder / "notes.txt").write_text("no migration")
    with pytest.raises(StoreError, match="install again"):
        migrate.load("sqlite", tmp_path)
    (folder / "0002_second.sql").write_text("SELECT 2;")
    assert [one.name for one in migrate.load("sqlite", tmp_path)] == ["first", "second", "third"]
