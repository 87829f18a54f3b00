"""Looks for what is wrong in a database that can be opened: damaged pages, and rows that this version cannot
read. Changes nothing."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from mailguard.core.states import MessageState, RecipientState
from mailguard.edge.store import engine
from mailguard.edge.store.bulk import listed

# Of many damaged pages the first few tell enough.
MOST_FAULTS = 5


def examine(path: Path) -> list[str]:
    """What is wrong with the database of a stopped guard; the caller has the lock of the state directory.

    Raises StoreError, UnknownSchema where it cannot even be opened.
    """
    try:
        with closing(engine.connect(path)) as connection:
            return [*_damage(connection, path), *_unreadable(connection, path)]
    except (sqlite3.Error, OSError) as error:
        raise engine.translated(error, path) from error


def unknown_states(connection: sqlite3.Connection) -> int:
    """How many messages are in a state that this version does not know; costs next to nothing."""
    (count,) = connection.execute(
        "SELECT coalesce(sum(messages), 0) FROM tally WHERE state NOT IN (SELECT value FROM json_each(?))",
        (listed(MessageState),),
    ).fetchone()
    return int(count)


def _damage(connection: sqlite3.Connection, path: Path) -> Iterator[str]:
    found = [text for (text,) in connection.execute(f"PRAGMA quick_check({MOST_FAULTS})").fetchall()]
    if found != ["ok"]:
        yield f"{path} is damaged: {'; '.join(found)}"


def _unreadable(connection: sqlite3.Connection, path: Path) -> Iterator[str]:
    unknown = "SELECT id FROM message WHERE state NOT IN (SELECT value FROM json_each(?))"
    ids = _ids(connection, unknown, MessageState)
    ids |= _ids(
        connection,
        "SELECT id FROM message WHERE n IN (SELECT message FROM recipient"
        " WHERE state NOT IN (SELECT value FROM json_each(?)))",
        RecipientState,
    )
    if ids:
        some = ", ".join(sorted(ids)[:MOST_FAULTS])
        yield f"{path}: {len(ids)} messages have a state that this version does not know ({some})"


def _ids(connection: sqlite3.Connection, query: str, states: Iterable[str]) -> set[str]:
    return {found for (found,) in connection.execute(query, (listed(states),)).fetchall()}
