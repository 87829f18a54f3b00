"""Moves the queue of a stopped guard from SQLite into an empty database: all of it in one transaction, and
compared to the last byte before it is committed."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from mailguard.core.errors import StoreError
from mailguard.core.states import FINISHED
from mailguard.core.value import dataclass
from mailguard.edge.store import engine, moved, pieces, queries, rows
from mailguard.edge.store.moved import Moved
from mailguard.edge.store.postgres import columns, faults
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.text import storable
from mailguard.ports import Log

Connection = psycopg.Connection[tuple[Any, ...]]
Going = Callable[[int, int], object]

AT_ONCE = 500

# The other tables: name, columns, order. Times are text there that PostgreSQL reads.
_TABLES: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("event", "message, version, at, event, by, detail", "message, version"),
    ("submission", "message, digest, received_at, reply", "message"),
    ("thread", "n, parent, messages", "n"),
    ("thread_message", "digest, thread", "digest"),
    ("participant", "thread, address", "thread, address"),
    ("observation", "n, at, mark, score, judged_by, content", "n"),
    ("meant", "person, code, address", "person, code, address"),
    ("learning", "source, place", "source"),
    ("preference", "person, language, notify", "person"),
    ("session", "digest, login, mark, began_at, seen_at", "digest"),
    ("token", "digest, login, name, scope, made_at, expires_at, used_at", "digest"),
    ("outbox", "n, id, target, topic, at, next_at, attempts, fault, content", "n"),
)
_MESSAGE: LiteralString = """
    COPY message (n, id, version, state, next_due, leaves_at, done_at, expires_at, remind_at, body_kept,
        sender_key, login, size, document) FROM STDIN
"""
# So that what comes next has a number of its own.
_SEQUENCES: tuple[LiteralString, ...] = (
    "SELECT setval('message_number', (SELECT coalesce(max(n), 0) + 1 FROM message))",
    "SELECT setval('observation_number', (SELECT coalesce(max(n), 0) + 1 FROM observation))",
    "SELECT setval(pg_get_serial_sequence('thread', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM thread))",
    "SELECT setval(pg_get_serial_sequence('outbox', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM outbox))",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """What has been moved: all messages, those that are not finished, and the bytes of mail."""

    where: str
    messages: int
    unfinished: int
    size: int


async def prepare(url: str, log: Log) -> None:
    """Make the tables. Raises StoreError, UnknownSchema."""
    database = await SharedDatabase.open(url, log=log)
    await database.close()


def move(path: Path, url: str, key: bytes, *, going_on: Going = lambda done, of: None) -> Arrived:
    """Move the queue of this file; the caller has the lock of the state directory and has called `prepare`.

    A moving that was cut off goes on. `key` is that of the digests and links. Raises StoreError.
    """
    where = faults.shown(url)
    known = moved.read(path)
    if known is not None and known.done:
        raise StoreError(f"the queue {path} was moved to {known.to} already")
    if known is not None and known.to != where:
        # All of it may be there: it must leave from one place alone.
        raise StoreError(
            f"the queue {path} is being moved to {known.to}, and that was cut off; finish it there, or, where"
            f" nothing of it has arrived there, remove {moved.note(path)}"
        )
    try:
        with (
            closing(engine.connect(path, moved_too=True)) as source,
            psycopg.connect(url, autocommit=True) as target,
        ):
            moving = moved.begin(path, where)
            try:
                with target.transaction():
                    if not _has_arrived(target, moving):
                        _must_be_empty(target, where)
                        _copy(source, target, moving, key, going_on)
                    arrived = _arrived(target, where)
            except StoreError:
                # Nothing was committed, so the guard may go on where it was.
                moved.forget(path)
                raise
            moved.finish(path, moving)
            return arrived
    except (psycopg.Error, sqlite3.Error, OSError) as error:
        if isinstance(error, psycopg.Error):
            raise faults.translated(error, where) from error
        raise engine.translated(error, path) from error


def _has_arrived(target: Connection, moving: Moved) -> bool:
    # Nobody puts anything in meanwhile.
    target.execute("LOCK TABLE message, installation IN EXCLUSIVE MODE")
    (token,) = target.execute("SELECT moved_from FROM installation").fetchone() or (None,)
    return bool(token == moving.token)


def _must_be_empty(target: Connection, where: str) -> None:
    for table in ("message", "observation", "thread", "token", "outbox"):
        query: LiteralString = f"SELECT FROM {table} LIMIT 1"
        if target.execute(query).fetchone() is not None:
            raise StoreError(f"there is something in {where} already; name an empty database")


def _copy(source: sqlite3.Connection, target: Connection, moving: Moved, key: bytes, going_on: Going) -> None:
    # Minutes, for a million messages.
    target.execute("SET LOCAL statement_timeout = 0")
    sent = _messages(source, target, going_on)
    for table, names, order in _TABLES:
        _table(source, target, table, names, order)
    for statement in _SEQUENCES:
        target.execute(statement)
    (restored,) = source.execute("SELECT max(at) FROM backup").fetchone()
    target.execute(
        "UPDATE installation SET key = %b, moved_from = %s, restored_at = %s", (key, moving.token, restored)
    )
    if _print_of(_stored(target)) != sent:
        raise StoreError("what arrived is not what was sent; nothing was moved")


def _messages(source: sqlite3.Connection, target: Connection, going_on: Going) -> str:
    """Copy messages and bytes; a digest of both."""
    numbers = [number for (number,) in source.execute("SELECT n FROM message ORDER BY n").fetchall()]
    digest = hashlib.sha256()
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        found = queries.by_number(source, some)
        with target.cursor() as cursor, cursor.copy(_MESSAGE) as copy:
            for number, values in zip(some, map(_columns, found), strict=True):
                copy.write_row((number, *values))
                _add(digest, number, *values[:3], values[-1], pieces.body(source, number))
        going_on(start + len(some), len(numbers))
    _bodies(source, target, numbers)
    return digest.hexdigest()


def _columns(row: Sequence[Any]) -> columns.Values:
    try:
        return columns.columns(rows.message(row))
    except rows.UNREADABLE as error:
        raise StoreError(
            f"message {row[0]} cannot be read ({error}), and nothing was moved; run 'mailguard doctor'"
        ) from error


def _bodies(source: sqlite3.Connection, target: Connection, numbers: Iterable[int]) -> None:
    with target.cursor() as cursor, cursor.copy("COPY body (message, content) FROM STDIN") as copy:
        for number in numbers:
            content = pieces.body(source, number)
            if content is not None:
                copy.write_row((number, content))


def _add(digest: "hashlib._Hash", *values: object) -> None:
    *head, content = values
    body = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else content
    digest.update("\x1f".join(map(str, (*head, body))).encode())


def _stored(target: Connection) -> Iterator[tuple[object, ...]]:
    with target.cursor("moved") as cursor:
        cursor.execute(
            """
            SELECT n, id, version, state, document, encode(sha256(content), 'hex')
            FROM message LEFT JOIN body ON body.message = n ORDER BY n
            """
        )
        yield from cursor


def _print_of(stored: Iterable[tuple[object, ...]]) -> str:
    digest = hashlib.sha256()
    for values in stored:
        _add(digest, *values)
    return digest.hexdigest()


def _table(
    source: sqlite3.Connection,
    target: Connection,
    table: LiteralString,
    names: LiteralString,
    order: LiteralString,
) -> None:
    """Copy one table; nothing of it may be missing in the end."""
    count = 0
    found = source.execute(f"SELECT {names} FROM {table} ORDER BY {order}")
    statement: LiteralString = f"COPY {table} ({names}) FROM STDIN"
    with target.cursor() as cursor, cursor.copy(statement) as copy:
        for row in found:
            copy.write_row([storable(one) if isinstance(one, str) else one for one in row])
            count += 1
    query: LiteralString = f"SELECT count(*) FROM {table}"
    (arrived,) = target.execute(query).fetchone() or (0,)
    if arrived != count:
        raise StoreError(f"{count} rows of {table} were sent and {arrived} arrived; nothing was moved")


def _arrived(target: Connection, where: str) -> Arrived:
    counted = target.execute("SELECT state, sum(messages)::bigint FROM tally GROUP BY state").fetchall()
    (size,) = target.execute("SELECT coalesce(sum(length(content)), 0)::bigint FROM body").fetchone() or (0,)
    return Arrived(
        where=where,
        messages=sum(count for _, count in counted),
        unfinished=sum(count for state, count in counted if state not in FINISHED),
        size=size,
    )
