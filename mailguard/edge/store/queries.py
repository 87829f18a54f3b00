"""What is asked of the queue: one message, a page of the list, the history, the counts. Changes nothing."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime
from typing import Any

from mailguard.core import address
from mailguard.core.errors import AmbiguousId, NoSuchMessage, StoreError
from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.states import FINISHED, MessageState
from mailguard.core.value import dataclass
from mailguard.edge.store import pieces, rows
from mailguard.edge.store.bulk import listed
from mailguard.ports import Census, Log, Owner, Page

UNFINISHED = frozenset(MessageState) - FINISHED
Key = tuple[str, int]

# Messages with their recipients, as JSON in one row: one step of the statement, however many they are (see
# bulk.py). These columns of a message are of use before it is read as one.
SIZE, NUMBER = 17, 28
_MESSAGES = """
    SELECT json_group_array(json_array(
        id, version, state, gate, expires_at, frozen_at, finished_at, body_kept, received_at, sender,
        user, peer, helo, protocol, parameters, subject, message_id, size, action, rules, findings,
        approvers, margin_us, undo_us, expire_us,
        json((SELECT json_group_array(json_array(place, address, external, r.state, notify, orcpt, delay_us,
            gated, release_at, due_at, in_flight, attempts, first_try_at, reply, maybe_sent, sent_at,
            dropped_at)) FROM recipient AS r WHERE r.message = m.n)),
        deputies, remind_at, n))
    FROM message AS m WHERE n IN (SELECT value FROM json_each(?))
"""


def by_number(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[list[Any]]:
    """The rows of these messages, in this order, for rows.message; one that is gone has none."""
    if not numbers:
        return []
    (found,) = connection.execute(_MESSAGES, (listed(numbers),)).fetchone()
    rows_by_number = {row[NUMBER]: row for row in json.loads(found)}
    return [rows_by_number[number] for number in numbers if number in rows_by_number]


def find(connection: sqlite3.Connection, prefix: str) -> HeldMessage:
    """The one message whose id is or begins with `prefix`. Raises NoSuchMessage, AmbiguousId, StoreError."""
    # Not one letter is no id, however few messages there are.
    if not prefix or not prefix.isascii():
        raise NoSuchMessage(f"no message has an id that begins with {prefix!r}")
    # "~" comes after every letter that an id can have.
    found = connection.execute(
        "SELECT n, id FROM message WHERE id >= ? AND id < ? || '~' ORDER BY id LIMIT 2", (prefix, prefix)
    ).fetchall()
    if not found:
        raise NoSuchMessage(f"no message has an id that begins with {prefix!r}")
    number, message_id = found[0]
    if len(found) > 1 and message_id != prefix:
        raise AmbiguousId(f"more than one id begins with {prefix!r}; give more letters")
    [row] = by_number(connection, [number])
    try:
        return rows.message(row)
    except rows.UNREADABLE as error:
        raise StoreError(
            f"message {message_id} cannot be read: its row has {error}; run 'mailguard doctor'"
        ) from error


def readable(found: Iterable[Sequence[Any]], log: Log) -> list[HeldMessage]:
    """The messages of these rows. One that cannot be read is told to the operator, and hides no other."""
    messages = []
    for row in found:
        try:
            messages.append(rows.message(row))
        except rows.UNREADABLE as error:
            log.trouble("unreadable_message", id=row[0], fault=str(error))
    return messages


def content(connection: sqlite3.Connection, message_id: str) -> bytes | None:
    """The bytes as received, or None where they are gone."""
    row = connection.execute("SELECT n FROM message WHERE id = ?", (message_id,)).fetchone()
    return None if row is None else pieces.body(connection, row[0])


def events(connection: sqlite3.Connection, message_id: str) -> list[Event]:
    """A message's history, oldest first."""
    found = connection.execute(
        "SELECT at, event, by, detail FROM event"
        " WHERE message = (SELECT n FROM message WHERE id = ?) ORDER BY version",
        (message_id,),
    )
    return [rows.event(row) for row in found.fetchall()]


def expired(connection: sqlite3.Connection, now: datetime, limit: int, log: Log) -> list[HeldMessage]:
    """Messages whose wait for a person is over, longest over first."""
    found = connection.execute(
        """
        SELECT n FROM message INDEXED BY message_expiring
        WHERE state IN ('confirm', 'approval', 'frozen') AND expires_at <= ? ORDER BY expires_at, n LIMIT ?
        """,
        (rows.time(now), limit),
    )
    return readable(by_number(connection, [number for (number,) in found.fetchall()]), log)


def to_remind(connection: sqlite3.Connection, now: datetime, limit: int, log: Log) -> list[HeldMessage]:
    """Messages that wait for somebody who is to be asked again by now, longest over first."""
    found = connection.execute(
        """
        SELECT n FROM message INDEXED BY message_reminding
        WHERE state IN ('confirm', 'approval') AND remind_at <= ? ORDER BY remind_at, n LIMIT ?
        """,
        (rows.time(now), limit),
    )
    return readable(by_number(connection, [number for (number,) in found.fetchall()]), log)


def stranded(connection: sqlite3.Connection, log: Log) -> list[HeldMessage]:
    """Messages in the state RELAYING."""
    relaying = MessageState.RELAYING.value
    row = connection.execute("SELECT messages FROM tally WHERE state = ?", (relaying,)).fetchone()
    # What was in hand was due, and so stands at the beginning of the index: to know how many they are saves a
    # look at all the others.
    found = connection.execute(
        """
        SELECT n FROM message INDEXED BY message_open
        WHERE done_at IS NULL AND state = ? ORDER BY leaves_at LIMIT ?
        """,
        (relaying, 0 if row is None else row[0]),
    ).fetchall()
    return readable(by_number(connection, sorted(number for (number,) in found)), log)


def next_due(connection: sqlite3.Connection) -> datetime | None:
    """When the next claim or expiry will have something to do."""
    (text,) = connection.execute(
        """
        SELECT min(at) FROM (
            SELECT min(next_due) AS at FROM message WHERE next_due IS NOT NULL
            UNION ALL
            SELECT min(expires_at) FROM message INDEXED BY message_expiring
            WHERE expires_at IS NOT NULL AND state IN ('confirm', 'approval', 'frozen')
        )
        """
    ).fetchone()
    return None if text is None else rows.moment(text)


def census(connection: sqlite3.Connection, now: datetime) -> Census:
    """Counts by state; overdue is what should be gone by what its sender was told, and the margin."""
    counted = connection.execute("SELECT state, messages FROM tally WHERE messages > 0").fetchall()
    known = {state.value: state for state in MessageState}
    overdue, oldest = connection.execute(
        """
        SELECT count(*), min(leaves_at) FROM message INDEXED BY message_open
        WHERE done_at IS NULL AND leaves_at <= ?
        """,
        (rows.time(now),),
    ).fetchone()
    return Census(
        by_state={known[state]: messages for state, messages in counted if state in known},
        overdue=overdue,
        oldest_overdue=None if oldest is None else rows.moment(oldest),
    )


def restored_from(connection: sqlite3.Connection) -> datetime | None:
    """When the copy was made that this file is; None where it is no copy, or no fresh one."""
    (at,) = connection.execute("SELECT max(at) FROM backup").fetchone()
    return None if at is None else rows.moment(at)


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the list: what leaves at a time, what waits for a person, what is finished. Each has
    its order, by which the list can be taken up again after any message (`start`: from its beginning)."""

    states: frozenset[MessageState]
    of_all: str
    of_sender: str
    of_user: str
    of_nobody: str
    newest_first: bool
    start: Key


_TIMED = Part(
    states=UNFINISHED,
    of_all="""
        SELECT leaves_at, n FROM message INDEXED BY message_open
        WHERE done_at IS NULL AND state IN (SELECT value FROM json_each(:states))
            AND (leaves_at, n) > (:at, :n) ORDER BY leaves_at, n LIMIT :limit
    """,
    of_sender="""
        SELECT leaves_at, n FROM message INDEXED BY message_sender_open
        WHERE done_at IS NULL AND sender_key = :sender AND state IN (SELECT value FROM json_each(:states))
            AND (leaves_at, n) > (:at, :n) ORDER BY leaves_at, n LIMIT :limit
    """,
    of_user="""
        SELECT leaves_at, n FROM message INDEXED BY message_user_open
        WHERE done_at IS NULL AND user = :user AND state IN (SELECT value FROM json_each(:states))
            AND (leaves_at, n) > (:at, :n) ORDER BY leaves_at, n LIMIT :limit
    """,
    of_nobody="""
        SELECT leaves_at, n FROM message INDEXED BY message_open
        WHERE done_at IS NULL AND user IS NULL AND state IN (SELECT value FROM json_each(:states))
            AND (leaves_at, n) > (:at, :n) ORDER BY leaves_at, n LIMIT :limit
    """,
    newest_first=False,
    start=("", 0),
)
_UNTIMED = Part(
    states=UNFINISHED,
    of_all="""
        SELECT '', n FROM message INDEXED BY message_open
        WHERE done_at IS NULL AND state IN (SELECT value FROM json_each(:states))
            AND leaves_at IS NULL AND n > :n ORDER BY n LIMIT :limit
    """,
    of_sender="""
        SELECT '', n FROM message INDEXED BY message_sender_open
        WHERE done_at IS NULL AND sender_key = :sender AND state IN (SELECT value FROM json_each(:states))
            AND leaves_at IS NULL AND n > :n ORDER BY n LIMIT :limit
    """,
    of_user="""
        SELECT '', n FROM message INDEXED BY message_user_open
        WHERE done_at IS NULL AND user = :user AND state IN (SELECT value FROM json_each(:states))
            AND leaves_at IS NULL AND n > :n ORDER BY n LIMIT :limit
    """,
    of_nobody="""
        SELECT '', n FROM message INDEXED BY message_open
        WHERE done_at IS NULL AND user IS NULL AND state IN (SELECT value FROM json_each(:states))
            AND leaves_at IS NULL AND n > :n ORDER BY n LIMIT :limit
    """,
    newest_first=False,
    start=("", 0),
)
_FINISHED = Part(
    states=FINISHED,
    # Asked for one state at a time, so that the few cancelled are found among a million sent.
    of_all="""
        SELECT done_at, n FROM message INDEXED BY message_done
        WHERE done_at IS NOT NULL AND state = (SELECT value FROM json_each(:states))
            AND (done_at, n) < (:at, :n) ORDER BY done_at DESC, n DESC LIMIT :limit
    """,
    of_sender="""
        SELECT done_at, n FROM message INDEXED BY message_sender_done
        WHERE done_at IS NOT NULL AND sender_key = :sender
            AND state IN (SELECT value FROM json_each(:states))
            AND (done_at, n) < (:at, :n) ORDER BY done_at DESC, n DESC LIMIT :limit
    """,
    of_user="""
        SELECT done_at, n FROM message INDEXED BY message_user_done
        WHERE done_at IS NOT NULL AND user = :user
            AND state IN (SELECT value FROM json_each(:states))
            AND (done_at, n) < (:at, :n) ORDER BY done_at DESC, n DESC LIMIT :limit
    """,
    of_nobody="""
        SELECT done_at, n FROM message INDEXED BY message_done
        WHERE done_at IS NOT NULL AND user IS NULL AND state = (SELECT value FROM json_each(:states))
            AND (done_at, n) < (:at, :n) ORDER BY done_at DESC, n DESC LIMIT :limit
    """,
    newest_first=True,
    start=("~", 0),
)
PARTS = (_TIMED, _UNTIMED, _FINISHED)


def page(connection: sqlite3.Connection, wanted: Page, log: Log) -> list[HeldMessage]:
    """One page of the list. Raises NoSuchMessage where the message to go on after is forgotten."""
    states = wanted.states or (frozenset(MessageState) if wanted.finished else UNFINISHED)
    sender = None if wanted.sender is None else address.normal(wanted.sender)
    first, start = place(connection, wanted.after)
    messages: list[HeldMessage] = []
    for part in PARTS[first:]:
        key = start or part.start
        start = None
        # More than one round only where a message could not be read and its place is to be filled.
        while states & part.states and (room := wanted.limit - len(messages)) > 0:
            keys = keys_of(
                connection, part, states & part.states, key, room, sender=sender, owner=wanted.owner
            )
            messages += readable(by_number(connection, [number for _, number in keys]), log)
            if len(keys) < room:
                break
            key = keys[-1]
    return messages


def place(connection: sqlite3.Connection, after: str | None) -> tuple[int, Key | None]:
    """In which part of the list a message stands, and where in it."""
    if after is None:
        return 0, None
    row = connection.execute("SELECT leaves_at, done_at, n FROM message WHERE id = ?", (after,)).fetchone()
    if row is None:
        raise NoSuchMessage(f"the list cannot go on after {after!r}: there is no such message any more")
    leaves_at, done_at, number = row
    if done_at is not None:
        return 2, (done_at, number)
    return (1, ("", number)) if leaves_at is None else (0, (leaves_at, number))


def keys_of(
    connection: sqlite3.Connection,
    part: Part,
    states: Set[MessageState],
    after: Key,
    limit: int,
    *,
    sender: str | None = None,
    owner: Owner | None = None,
) -> list[Key]:
    """Where the next messages of a part stand: of all, of a sender (in normal form), or of an owner."""
    values = {"at": after[0], "n": after[1], "limit": limit}
    keys: set[Key] = set()
    for query, some, key, value in _queries(part, states, sender, owner):
        keys.update(connection.execute(query, {**values, "states": listed(some), key: value}).fetchall())
    return sorted(keys, reverse=part.newest_first)[:limit]


def _queries(
    part: Part, states: Set[MessageState], sender: str | None, owner: Owner | None
) -> Iterator[tuple[str, Set[MessageState], str, str | None]]:
    """The queries whose answers together are the list: each follows an index, so that each ends early."""
    by_state = [frozenset({state}) for state in states] if part is _FINISHED else [states]
    if sender is not None:
        yield part.of_sender, states, "sender", sender
    elif owner is None:
        yield from ((part.of_all, some, "sender", None) for some in by_state)
    else:
        yield part.of_user, states, "user", owner.login
        yield from ((part.of_sender, states, "sender", one) for one in owner.addresses)
        if owner.anonymous:
            yield from ((part.of_nobody, some, "user", None) for some in by_state)
