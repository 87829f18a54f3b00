"""Knows a message that is handed in again while the first one is still fresh (core/resubmission.py)."""

import sqlite3
from collections.abc import Sequence

from mailguard.edge.store import known, rows
from mailguard.edge.store.bulk import RowsStatement, chunks
from mailguard.edge.store.known import Fresh
from mailguard.ports import Mark

_ADD = RowsStatement(
    head="INSERT INTO submission (message, digest, received_at, reply) VALUES",
    width=4,
)
# The oldest are looked at, and of those only what is old goes: never a look at the whole table.
_REMOVE_OLD = """
    DELETE FROM submission WHERE message IN (
        SELECT message FROM (SELECT message, received_at FROM submission ORDER BY message LIMIT ?)
        WHERE received_at < ?
    )
"""


def fresh(connection: sqlite3.Connection, marks: Sequence[Mark]) -> Fresh:
    """What the store knows of these."""
    seen = Fresh()
    for chunk in chunks([mark.digest for mark in marks]):
        places = ",".join("?" * len(chunk))
        found = connection.execute(
            f"""
            SELECT digest, s.message, s.received_at, s.reply, m.id, m.state
            FROM submission AS s JOIN message AS m ON m.n = s.message
            WHERE digest IN ({places}) AND m.state NOT IN (?, ?, ?) ORDER BY s.message
            """,  # noqa: S608  question marks only
            (*chunk, *known.NOT_KNOWN),
        )
        seen.find((digest, n, rows.moment(at), *rest) for digest, n, at, *rest in found.fetchall())
    return seen


def write(connection: sqlite3.Connection, fresh: Fresh) -> None:
    """To be called when the new messages are written."""
    if fresh.added:
        connection.execute(_REMOVE_OLD, (known.OLD_PER_NEW * len(fresh.added), rows.time(fresh.since)))
        _ADD.run(connection, [(n, digest, rows.time(at), reply) for n, digest, at, reply in fresh.added])
    for number, mark in fresh.again:
        # A new version, because the history has one line for each.
        connection.execute("UPDATE message SET version = version + 1 WHERE n = ?", (number,))
        version, *event = rows.event_row(0, mark.again)
        connection.execute(
            """
            INSERT INTO event (message, version, at, event, by, detail)
            SELECT n, version + ?, ?, ?, ?, ? FROM message WHERE n = ?
            """,
            (version, *event, number),
        )


def forget(connection: sqlite3.Connection, listed_numbers: str) -> None:
    """What belongs to messages that are forgotten goes with them."""
    connection.execute(
        "DELETE FROM submission WHERE message IN (SELECT value FROM json_each(?))", (listed_numbers,)
    )
