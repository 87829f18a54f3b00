"""Knows a message that is handed in again, to this guard or to another one (core/resubmission.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.hold import HeldMessage
from mailguard.core.resubmission import RETURNED
from mailguard.core.states import MessageState
from mailguard.edge.store import rows
from mailguard.edge.store.postgres.columns import Values, storable
from mailguard.ports import First, Mark

Connection = AsyncConnection[tuple[Any, ...]]

_RETURNED = [state.value for state in RETURNED]
# Two for each that comes in, so that the table is never longer than ten minutes of mail.
_OLD_PER_NEW = 2
_ADD = """
    INSERT INTO submission (message, digest, received_at, reply)
    SELECT * FROM unnest(%s::bigint[], %b::bytea[], %s::timestamptz[], %s::text[])
"""
_REMOVE_OLD = """
    DELETE FROM submission WHERE message IN (
        SELECT message FROM submission WHERE received_at < %s ORDER BY received_at LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
"""
# A new version, because the history has one line for each.
_AGAIN = """
    WITH touched AS (UPDATE message SET version = version + 1 WHERE n = %s RETURNING n, version)
    INSERT INTO event (message, version, at, event, by, detail)
    SELECT n, version, %s, %s, %s, %s FROM touched
"""


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    received_at: datetime
    first: First


@dataclass(slots=True)
class Fresh:
    """What is known at the beginning of a transaction, and what comes to it in the course of it."""

    known: dict[bytes, _Known] = field(default_factory=dict)
    added: list[Values] = field(default_factory=list)
    again: list[tuple[int, Mark]] = field(default_factory=list)
    since: datetime | None = None

    def numbers(self) -> list[int]:
        """The messages that may get a line more in their history."""
        return [one.number for one in self.known.values()]

    def first(self, mark: Mark) -> First | None:
        """The message that this one is a second try of; it is noted in its history then."""
        known = self.known.get(mark.digest)
        if known is None or known.received_at < mark.since:
            return None
        self.again.append((known.number, mark))
        return known.first

    def add(self, number: int, message: HeldMessage, mark: Mark) -> None:
        """A new message, for the next one to be compared with."""
        self.added.append((number, mark.digest, message.received_at, storable(mark.reply)))
        self.since = mark.since if self.since is None else max(self.since, mark.since)
        first = First(id=message.id, state=message.state, reply=mark.reply)
        self.known[mark.digest] = _Known(number, message.received_at, first)

    async def write(self, connection: Connection) -> None:
        """To be called when the new messages are written."""
        if self.added:
            await connection.execute(_REMOVE_OLD, (self.since, _OLD_PER_NEW * len(self.added)))
            await connection.execute(_ADD, [list(column) for column in zip(*self.added, strict=True)])
        for number, mark in self.again:
            _, *event = rows.event_row(0, mark.again)
            await connection.execute(_AGAIN, (number, *event))


async def fresh(connection: Connection, marks: Sequence[Mark]) -> Fresh:
    """What the store knows of these; until the transaction ends, no other guard puts one of them in."""
    known = Fresh()
    if not marks:
        return known
    digests = list({mark.digest for mark in marks})
    # In one order everywhere, so that no two guards wait for one another; and a statement of its own, so that
    # the next one sees what was committed meanwhile.
    locks = sorted(int.from_bytes(digest[:8], "big", signed=True) for digest in digests)
    async with connection.pipeline():
        await connection.execute(
            "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(%s::bigint[]) AS k", (locks,)
        )
        asked = await connection.execute(
            """
            SELECT digest, s.message, s.received_at, s.reply, m.id, m.state
            FROM submission AS s JOIN message AS m ON m.n = s.message
            WHERE digest = ANY (%b::bytea[]) AND m.state <> ALL (%s::text[]) ORDER BY s.message
            """,
            (digests, _RETURNED),
        )
        found = await asked.fetchall()
    for digest, number, received_at, reply, message_id, state in found:
        first = First(id=message_id, state=MessageState(state), reply=reply)
        known.known[bytes(digest)] = _Known(number, received_at, first)
    return known
