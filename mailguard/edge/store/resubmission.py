"""Knows a message that is handed in again while the first one is still fresh (core/resubmission.py)."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailguard.core.resubmission import RETURNED
from mailguard.core.states import MessageState
from mailguard.edge.store import rows
from mailguard.edge.store.bulk import Row, RowsStatement, chunks
from mailguard.ports import First, Mark

_RETURNED = tuple(sorted(RETURNED))
# Two for each that comes in, so that the table is never longer than ten minutes of mail.
_OLD_PER_NEW = 2

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


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    received_at: str
    first: First


@dataclass(slots=True)
class Fresh:
    """What is known at the beginning of a transaction, and what comes to it in the course of it."""

    known: dict[bytes, _Known] = field(default_factory=dict)
    added: list[Row] = field(default_factory=list)
    again: list[tuple[int, Mark]] = field(default_factory=list)
    since: str = ""

    def first(self, mark: Mark) -> First | None:
        """The message that this one is a second try of; it is noted in its history then."""
        known = self.known.get(mark.digest)
        if known is None or known.received_at < rows.time(mark.since):
            return None
        self.again.append((known.number, mark))
        return known.first

    def add(self, number: int, message_id: str, received_at: str, state: str, mark: Mark) -> None:
        """A new message, for the next one to be compared with."""
        self.added.append((number, mark.digest, received_at, mark.reply))
        self.since = max(self.since, rows.time(mark.since))
        first = First(id=message_id, state=MessageState(state), reply=mark.reply)
        self.known[mark.digest] = _Known(number, received_at, first)

    def write(self, connection: sqlite3.Connection) -> None:
        """To be called when the new messages are written."""
        if self.added:
            connection.execute(_REMOVE_OLD, (_OLD_PER_NEW * len(self.added), self.since))
            _ADD.run(connection, self.added)
        for number, mark in self.again:
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


def fresh(connection: sqlite3.Connection, marks: Sequence[Mark]) -> Fresh:
    """What the store knows of these."""
    known = Fresh()
    for chunk in chunks([mark.digest for mark in marks]):
        places = ",".join("?" * len(chunk))
        found = connection.execute(
            f"""
            SELECT digest, s.message, s.received_at, s.reply, m.id, m.state
            FROM submission AS s JOIN message AS m ON m.n = s.message
            WHERE digest IN ({places}) AND m.state NOT IN (?, ?, ?) ORDER BY s.message
            """,  # noqa: S608  question marks only
            (*chunk, *_RETURNED),
        )
        for digest, number, received_at, reply, message_id, state in found.fetchall():
            first = First(id=message_id, state=MessageState(state), reply=reply)
            known.known[digest] = _Known(number, received_at, first)
    return known


def forget(connection: sqlite3.Connection, listed_numbers: str) -> None:
    """What belongs to messages that are forgotten goes with them."""
    connection.execute(
        "DELETE FROM submission WHERE message IN (SELECT value FROM json_each(?))", (listed_numbers,)
    )
