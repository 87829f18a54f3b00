"""A held message as one row of PostgreSQL, and back."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mailguard.core import address
from mailguard.core.hold import HeldMessage
from mailguard.edge.store import rows
from mailguard.edge.store.text import storable
from mailguard.ports import Log

Values = tuple[Any, ...]

# All that a message is read from; columns go before what the document says.
READ = "m.id, m.version, m.state, m.body_kept, m.document, m.n, m.size"
ID, NUMBER, SIZE = 0, 5, 6

# Of the values of `columns`.
TYPES = (
    "text",
    "integer",
    "text",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "boolean",
    "text",
    "text",
    "bigint",
    "text",
)

# ASCII: no NUL and no half surrogate pair, which PostgreSQL's text cannot hold.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def columns(message: HeldMessage) -> Values:
    """id, version, state, next_due, leaves_at, done_at, expires_at, remind_at, body_kept, sender_key, login,
    size, document."""
    return (
        message.id,
        message.version,
        message.state.value,
        rows.next_due(message),
        rows.leaves_at(message),
        rows.done_at(message),
        message.expires_at,
        message.remind_at,
        message.body_kept,
        storable(address.normal(message.sender)),
        None if message.user is None else storable(message.user),
        message.size,
        _encode(rows.whole(message)),
    )


def message(row: Sequence[Any]) -> HeldMessage:
    """The message of one row of READ. Raises one of rows.UNREADABLE where it is not ours."""
    whole = json.loads(row[4])
    whole[1], whole[2], whole[7] = row[1], row[2], row[3]
    return rows.message(whole)


def readable(found: Iterable[Sequence[Any]], log: Log) -> list[HeldMessage]:
    """The messages of these rows. One that cannot be read is told to the operator, and hides no other."""
    messages = []
    for row in found:
        try:
            messages.append(message(row))
        except rows.UNREADABLE as error:
            log.trouble("unreadable_message", id=row[ID], fault=str(error))
    return messages
