"""What changes the queue, many jobs a transaction: new messages, moves, claims, and what is forgotten.

Every function here but the last runs inside a transaction of the database's task, which begins and ends it.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime

from mailguard.core.hold import Change, Claimed
from mailguard.core.value import dataclass
from mailguard.edge.store import pieces, queries, resubmission, rows
from mailguard.edge.store.bulk import Row, RowsStatement, chunks, listed
from mailguard.edge.store.rows import AddedRows, ChangedRows
from mailguard.edge.store.taking import Taking
from mailguard.edge.store.turns import Turns
from mailguard.ports import First, Log, Mark

# What is overwritten at once, so that nobody waits long to write; the last message may make it more.
BITE_BYTES = 1024 * 1024
# Pages of 4 KiB: some ten milliseconds in which nobody else can write.
SHRINK_PAGES = 250

_ADD_MESSAGE = RowsStatement(
    head="""
    INSERT INTO message (n, id, version, state, next_due, leaves_at, done_at, gate, expires_at, frozen_at,
        finished_at, body_kept, remind_at, received_at, sender, sender_key, user, peer, helo, protocol,
        parameters, subject, message_id, size, action, rules, findings, approvers, deputies, margin_us,
        undo_us, expire_us)
    VALUES""",
    width=32,
)
_ADD_BODY = RowsStatement(head="INSERT INTO body (message, content, upload) VALUES", width=3)
_ADD_EVENT = RowsStatement(head="INSERT INTO event (message, version, at, event, by, detail) VALUES", width=6)
_PUT_RECIPIENT = RowsStatement(
    head="""
    INSERT OR REPLACE INTO recipient (message, place, address, external, state, notify, orcpt, delay_us,
        gated, release_at, due_at, in_flight, attempts, first_try_at, reply, maybe_sent, sent_at, dropped_at)
    VALUES""",
    width=18,
)
# The indexes of what the statement does not name are left alone, which makes a claim half as dear.
_TAKE_IN_HAND = RowsStatement(
    head="WITH v (n, version, state, next_due) AS (VALUES",
    width=4,
    tail=""")
    UPDATE message SET version = v.version, state = v.state, next_due = v.next_due
    FROM v WHERE message.n = v.n""",
)
_MOVE = RowsStatement(
    head="""
    WITH v (n, version, state, next_due, leaves_at, done_at, gate, expires_at, frozen_at, finished_at,
        body_kept, remind_at)
    AS (VALUES""",
    width=12,
    tail=""")
    UPDATE message SET version = v.version, state = v.state, next_due = v.next_due,
        leaves_at = v.leaves_at, done_at = v.done_at, gate = v.gate, expires_at = v.expires_at,
        frozen_at = v.frozen_at, finished_at = v.finished_at, body_kept = v.body_kept,
        remind_at = v.remind_at
    FROM v WHERE message.n = v.n""",
)
_REWRITE = RowsStatement(
    head="""
    WITH v (n, received_at, sender, sender_key, user, peer, helo, protocol, parameters, subject,
        message_id, size, action, rules, findings, approvers, deputies, margin_us, undo_us,
        expire_us)
    AS (VALUES""",
    width=20,
    tail=""")
    UPDATE message SET received_at = v.received_at, sender = v.sender, sender_key = v.sender_key,
        user = v.user, peer = v.peer, helo = v.helo, protocol = v.protocol, parameters = v.parameters,
        subject = v.subject, message_id = v.message_id, size = v.size, action = v.action,
        rules = v.rules, findings = v.findings, approvers = v.approvers, deputies = v.deputies,
        margin_us = v.margin_us,
        undo_us = v.undo_us, expire_us = v.expire_us
    FROM v WHERE message.n = v.n""",
)
_ADD_NEWS = RowsStatement(
    head="INSERT OR IGNORE INTO outbox (id, target, topic, at, next_at, attempts, fault, content) VALUES",
    width=8,
)
_BODY = "(SELECT content FROM body WHERE message = ?)"


@dataclass(frozen=True, slots=True)
class Step:
    """New messages, one step of an old one, or both together. `mark` is that of the first new one; `news` is
    what of it is to be told outside."""

    adds: Sequence[AddedRows]
    change: ChangedRows | None = None
    mark: Mark | None = None
    news: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """Ask for at most `limit` messages that are due at `now`."""

    now: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Bite:
    """Ask to forget at most `limit` messages, or their bytes."""

    finished_before: datetime
    undo_before: datetime
    limit: int


@dataclass(slots=True)
class _Pile:
    """The rows of one transaction, by statement."""

    next_number: int = 0
    messages: list[Row] = field(default_factory=list)
    in_hand: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    rewritten: list[Row] = field(default_factory=list)
    recipients: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    bodies: list[Row] = field(default_factory=list)
    uploads: list[int] = field(default_factory=list)
    bodiless: list[int] = field(default_factory=list)
    fewer_places: list[tuple[int, int]] = field(default_factory=list)
    news: list[Row] = field(default_factory=list)

    def add(self, new: AddedRows) -> None:
        number = self.next_number
        self.next_number += 1
        self.messages.append((number, *new.message))
        self.recipients += [(number, *recipient) for recipient in new.recipients]
        self.events.append((number, *new.event))
        self.bodies.append((number, new.content, new.upload))
        if new.upload is not None:
            self.uploads.append(new.upload)

    def change(self, number: int, step: ChangedRows) -> None:
        if step.timing is None:
            self.in_hand.append((number, *step.in_hand))
        else:
            self.moved.append((number, *step.in_hand, *step.timing))
        if step.fixed is not None:
            self.rewritten.append((number, *step.fixed))
        if step.places is not None:
            self.fewer_places.append((number, step.places))
        self.recipients += [(number, *recipient) for recipient in step.recipients]
        self.events.append((number, *step.event))
        if step.drop_body:
            self.bodiless.append(number)

    def write(self, connection: sqlite3.Connection) -> None:
        _ADD_MESSAGE.run(connection, self.messages)
        _TAKE_IN_HAND.run(connection, self.in_hand)
        _MOVE.run(connection, self.moved)
        _REWRITE.run(connection, self.rewritten)
        _PUT_RECIPIENT.run(connection, self.recipients)
        _ADD_EVENT.run(connection, self.events)
        _ADD_BODY.run(connection, self.bodies)
        pieces.name(connection, self.uploads)
        _ADD_NEWS.run(connection, self.news)
        if self.fewer_places:
            connection.executemany(
                "DELETE FROM recipient WHERE message = ? AND place >= ?", self.fewer_places
            )
        if self.bodiless:
            pieces.drop(connection, listed(self.bodiless))


def take(connection: sqlite3.Connection, steps: Sequence[Step]) -> list[bool | First]:
    """Make all these steps; False for one whose message is not at the version that it starts from, and the
    first message for one that was handed in before."""
    versions = _versions(connection, [step.change.id for step in steps if step.change is not None])
    fresh = resubmission.fresh(connection, [step.mark for step in steps if step.mark is not None])
    pile = _Pile()
    if any(step.adds for step in steps):
        (pile.next_number,) = connection.execute("SELECT coalesce(max(n), 0) + 1 FROM message").fetchone()
    results: list[bool | First] = []
    for step in steps:
        won: bool | First = True
        if step.mark is not None and (first := fresh.first(step.mark)) is not None:
            won = first
        elif step.change is not None:
            # Taken out of the table: of two steps of one message, the second is too late.
            number, version = versions.pop(step.change.id, (0, None))
            won = version == step.change.before
            if won:
                pile.change(number, step.change)
        if won is True:
            pile.news += step.news
            for place, new in enumerate(step.adds):
                if step.mark is not None and place == 0:
                    fresh.add(pile.next_number, new, step.mark)
                pile.add(new)
        results.append(won)
    pile.write(connection)
    resubmission.write(connection, fresh)
    return results


def _versions(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    if not ids:
        return {}
    (found,) = connection.execute(
        """
        SELECT json_group_array(json_array(id, n, version)) FROM message
        WHERE id IN (SELECT value FROM json_each(?))
        """,
        (listed(ids),),
    ).fetchone()
    return {message_id: (number, version) for message_id, number, version in json.loads(found)}


def claim(
    connection: sqlite3.Connection, asked: Sequence[Due], log: Log, turns: Turns
) -> list[list[Claimed]]:
    """Take in hand what is due (moves.claim), most overdue first, and each sender in turn."""
    results = []
    for due in asked:
        pile = _Pile()
        taken = _take_due(connection, due, log, turns)
        for number, change, _ in taken:
            pile.change(number, rows.changed(change))
        pile.write(connection)
        results.append([Claimed(message=change.after, content=content) for _, change, content in taken])
    return results


def _take_due(
    connection: sqlite3.Connection, due: Due, log: Log, turns: Turns
) -> list[tuple[int, Change, bytes]]:
    taking = Taking(due.now, due.limit, log)
    seen: set[int] = set()
    # More than one round only where something due cannot be claimed and must not be in the way of the rest.
    while taking.wanted:
        numbers = turns.due(connection, due.now, taking.wanted, len(seen))
        found = queries.by_number(connection, [number for number in numbers if number not in seen])
        if not found:
            break
        seen.update(numbers)
        some = taking.fitting(found, queries.SIZE)
        bodies = _bodies(connection, [row[queries.NUMBER] for row in some])
        for row in some:
            for message in queries.readable([row], log):
                taking.take(row[queries.NUMBER], message, bodies.get(row[queries.NUMBER]))
    return taking.taken


def _bodies(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for chunk in chunks(numbers):
        row = connection.execute(" ".join(("SELECT", ", ".join([_BODY] * len(chunk)))), chunk).fetchone()
        for number, content in zip(chunk, row, strict=True):
            # Empty, or in pieces.
            whole = content or pieces.body(connection, number)
            if whole is not None:
                found[number] = whole
    return found


def forget(connection: sqlite3.Connection, bites: Sequence[Bite]) -> list[int]:
    """Remove bytes that no restore can want, then messages finished long ago; how many of both."""
    return [_forget(connection, bite) for bite in bites]


def _forget(connection: sqlite3.Connection, bite: Bite) -> int:
    stale, all_of_them = _stale(connection, bite)
    if stale:
        pieces.drop(connection, listed(stale))
        # A new version, so that a restore that still saw the bytes comes too late.
        connection.execute(
            """
            UPDATE message SET body_kept = 0, version = version + 1
            WHERE n IN (SELECT value FROM json_each(?))
            """,
            (listed(stale),),
        )
    if not all_of_them:
        return len(stale)
    old = connection.execute(
        """
        SELECT n FROM message INDEXED BY message_done
        WHERE state IN ('sent', 'cancelled', 'rejected', 'expired', 'failed')
            AND done_at IS NOT NULL AND done_at < ? LIMIT ?
        """,
        (rows.time(bite.finished_before), bite.limit - len(stale)),
    ).fetchall()
    if old:
        _delete_messages(connection, [number for (number,) in old])
    return len(stale) + len(old)


def _stale(connection: sqlite3.Connection, bite: Bite) -> tuple[list[int], bool]:
    """Messages whose bytes are to go, as many as one bite holds; whether these are all there are."""
    found = connection.execute(
        """
        SELECT n, size FROM message INDEXED BY message_undo
        WHERE done_at IS NOT NULL AND body_kept = 1 AND done_at < ? ORDER BY done_at LIMIT ?
        """,
        (rows.time(bite.undo_before), bite.limit),
    ).fetchall()
    taken: list[int] = []
    room = BITE_BYTES
    for number, size in found:
        if room <= 0:
            return taken, False
        taken.append(number)
        room -= size
    return taken, True


def _delete_messages(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    pieces.drop(connection, listed(numbers))
    resubmission.forget(connection, listed(numbers))
    for statement in (
        "DELETE FROM recipient WHERE message IN (SELECT value FROM json_each(?))",
        "DELETE FROM event WHERE message IN (SELECT value FROM json_each(?))",
        "DELETE FROM message WHERE n IN (SELECT value FROM json_each(?))",
    ):
        connection.execute(statement, (listed(numbers),))


def settle_in(connection: sqlite3.Connection, asked: Sequence[None]) -> list[None]:
    """The store is not a fresh copy any more."""
    connection.execute("DELETE FROM backup")
    return [None] * len(asked)


def shrink(connection: sqlite3.Connection) -> bool:
    """Give some free pages back to the disk; whether there may be more to give back.

    A quarter of the file may stay free: the next mail would only ask for it again. Not to be called inside
    a transaction: it makes its own.
    """
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if free * 4 <= max(pages, SHRINK_PAGES):
        return False
    # As a script, because execute() would stop after the first page.
    connection.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
    return True


def empty_log(connection: sqlite3.Connection) -> None:
    """Write the write-ahead log back and empty it: it still has the bytes of what is gone from the file. Not
    to be called inside a transaction."""
    (pages,) = connection.execute("PRAGMA wal_autocheckpoint").fetchone()
    # Somebody copies the file, and it stands still for them (backup.py); the next sweep does this.
    if pages > 0:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
