"""What is asked of the shared queue: one message, a page of the list, the history, the counts."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString

from psycopg import AsyncConnection

from mailguard.core import address
from mailguard.core.errors import AmbiguousId, NoSuchMessage, StoreError
from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.states import FINISHED, MessageState
from mailguard.core.value import dataclass
from mailguard.edge.store import rows
from mailguard.edge.store.postgres import columns
from mailguard.edge.store.postgres.columns import READ
from mailguard.edge.store.text import storable
from mailguard.ports import Census, Log, Owner, Page

Connection = AsyncConnection[tuple[Any, ...]]
Key = tuple[datetime | None, int]
# Of whom the messages are that a query finds, and by what the one who is meant is known.
Whose = Literal["all", "sender", "login", "nobody"]
Asked = Sequence[tuple[Whose, str | None]]

_WHOSE: dict[Whose, LiteralString] = {
    "all": "",
    "sender": "AND sender_key = %(who)s",
    "login": "AND login = %(who)s",
    "nobody": "AND login IS NULL",
}

UNFINISHED = frozenset(MessageState) - FINISHED
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


async def find(connection: Connection, prefix: str) -> HeldMessage:
    """The one message whose id is or begins with `prefix`. Raises NoSuchMessage, AmbiguousId, StoreError."""
    # Not one letter is no id, however few messages there are.
    if not prefix or not prefix.isascii() or "\0" in prefix:
        raise NoSuchMessage(f"no message has an id that begins with {prefix!r}")
    # "~" comes after every letter that an id can have.
    asked = await connection.execute(
        f"SELECT {READ} FROM message AS m WHERE id >= %s AND id < %s ORDER BY id LIMIT 2",
        (prefix, prefix + "~"),
    )
    found = await asked.fetchall()
    if not found:
        raise NoSuchMessage(f"no message has an id that begins with {prefix!r}")
    row = found[0]
    if len(found) > 1 and row[columns.ID] != prefix:
        raise AmbiguousId(f"more than one id begins with {prefix!r}; give more letters")
    try:
        return columns.message(row)
    except rows.UNREADABLE as error:
        raise StoreError(
            f"message {row[columns.ID]} cannot be read: its row has {error}; run 'mailguard doctor'"
        ) from error


async def content(connection: Connection, message_id: str) -> bytes | None:
    """The bytes as received, or None where they are gone."""
    asked = await connection.execute(
        "SELECT content FROM body WHERE message = (SELECT n FROM message WHERE id = %s)",
        (storable(message_id),),
        binary=True,
    )
    row = await asked.fetchone()
    return None if row is None else bytes(row[0])


async def events(connection: Connection, message_id: str) -> list[Event]:
    """A message's history, oldest first."""
    asked = await connection.execute(
        "SELECT at, event, by, detail FROM event"
        " WHERE message = (SELECT n FROM message WHERE id = %s) ORDER BY version",
        (storable(message_id),),
    )
    return [rows.event(row) for row in await asked.fetchall()]


async def expired(connection: Connection, now: datetime, limit: int, log: Log) -> list[HeldMessage]:
    """Messages whose wait for a person is over, longest over first."""
    asked = await connection.execute(
        f"""
        SELECT {READ} FROM message AS m
        WHERE expires_at IS NOT NULL AND state IN ('confirm', 'approval', 'frozen') AND expires_at <= %s
        ORDER BY expires_at, n LIMIT %s
        """,
        (now, limit),
    )
    return columns.readable(await asked.fetchall(), log)


async def to_remind(connection: Connection, now: datetime, limit: int, log: Log) -> list[HeldMessage]:
    """Messages that wait for somebody who is to be asked again by now, longest over first."""
    asked = await connection.execute(
        f"""
        SELECT {READ} FROM message AS m
        WHERE remind_at IS NOT NULL AND state IN ('confirm', 'approval') AND remind_at <= %s
        ORDER BY remind_at, n LIMIT %s
        """,
        (now, limit),
    )
    return columns.readable(await asked.fetchall(), log)


async def stranded(connection: Connection, log: Log) -> list[HeldMessage]:
    """Messages in the hands of a guard that is gone: its lease is over, by the database's clock."""
    asked = await connection.execute(
        f"""
        SELECT {READ} FROM message AS m WHERE state = 'relaying' AND NOT EXISTS (
            SELECT FROM node WHERE node.id = m.owner AND lease_until > clock_timestamp()
        ) ORDER BY n
        """
    )
    return columns.readable(await asked.fetchall(), log)


async def next_due(connection: Connection) -> datetime | None:
    """When the next claim or expiry will have something to do."""
    asked = await connection.execute(
        """
        SELECT least(
            (SELECT min(next_due) FROM message WHERE next_due IS NOT NULL),
            (SELECT min(expires_at) FROM message
                WHERE expires_at IS NOT NULL AND state IN ('confirm', 'approval', 'frozen'))
        )
        """
    )
    row = await asked.fetchone()
    return None if row is None else row[0]


async def census(connection: Connection, now: datetime) -> Census:
    """Counts by state; overdue is what should be gone by what its sender was told, and the margin."""
    async with connection.pipeline():
        counted = await connection.execute("SELECT state, sum(messages)::bigint FROM tally GROUP BY state")
        late = await connection.execute(
            "SELECT count(*), min(leaves_at) FROM message WHERE done_at IS NULL AND leaves_at <= %s", (now,)
        )
        counts = await counted.fetchall()
        overdue, oldest = await late.fetchone() or (0, None)
    known = {state.value: state for state in MessageState}
    return Census(
        by_state={known[state]: messages for state, messages in counts if state in known and messages > 0},
        overdue=overdue,
        oldest_overdue=oldest,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the list: what leaves at a time, what waits for a person, what is finished. Each has
    its order, by which the list can be taken up again after any message (`start`: from its beginning)."""

    states: frozenset[MessageState]
    where: LiteralString
    key: LiteralString
    newest_first: bool
    start: Key

    def apart(self, whose: Whose) -> bool:
        """Whether each state is asked for by itself."""
        return self.newest_first and whose == "all"

    def query(self, whose: Whose) -> LiteralString:
        """The statement of one page."""
        compare, order = ("<", "DESC") if self.newest_first else (">", "ASC")
        after: LiteralString = f"({self.key}, n) {compare} (%(at)s, %(n)s)" if self.key else "n > %(n)s"
        by: LiteralString = f"{self.key} {order}, n {order}" if self.key else "n"
        # Of what is finished, one state at a time: the few cancelled are found among a million sent.
        state: LiteralString = "state = %(state)s" if self.apart(whose) else "state = ANY (%(states)s)"
        key: LiteralString = self.key or "NULL::timestamptz"
        return f"""
            SELECT {key}, {READ} FROM message AS m
            WHERE {self.where} AND {state} {_WHOSE[whose]} AND {after} ORDER BY {by} LIMIT %(limit)s
        """


PARTS = (
    Part(UNFINISHED, "done_at IS NULL AND leaves_at IS NOT NULL", "leaves_at", False, (_FIRST, 0)),
    Part(UNFINISHED, "done_at IS NULL AND leaves_at IS NULL", "", False, (None, 0)),
    Part(FINISHED, "done_at IS NOT NULL", "done_at", True, (_LAST, 0)),
)


async def page(connection: Connection, wanted: Page, log: Log) -> list[HeldMessage]:
    """One page of the list. Raises NoSuchMessage where the message to go on after is forgotten."""
    states = wanted.states or (frozenset(MessageState) if wanted.finished else UNFINISHED)
    asked = asked_for(wanted.owner) if wanted.sender is None else (_of_sender(wanted.sender),)
    first, start = await place(connection, wanted.after)
    messages: list[HeldMessage] = []
    for part in PARTS[first:]:
        key = start or part.start
        start = None
        # More than one round where a message could not be read, or is not this person's after all.
        while states & part.states and (room := wanted.limit - len(messages)) > 0:
            found = await stretch(connection, part, states & part.states, asked, key, room)
            read = columns.readable([row[1:] for row in found], log)
            messages += [one for one in read if owned(wanted.owner, one)]
            if len(found) < room:
                break
            key = (found[-1][0], found[-1][1 + columns.NUMBER])
    return messages


def asked_for(owner: Owner | None) -> Asked:
    """The queries whose answers together are a person's list; each follows an index, and ends soon."""
    if owner is None:
        return (("all", None),)
    nobody: Asked = (("nobody", None),) if owner.anonymous else ()
    return (
        ("login", storable(owner.login)),
        *(_of_sender(one) for one in sorted(owner.addresses)),
        *nobody,
    )


def _of_sender(sender: str) -> tuple[Whose, str]:
    return "sender", storable(address.normal(sender))


def owned(owner: Owner | None, message: HeldMessage) -> bool:
    """Whether the message is among those that the owner's are looked for in."""
    if owner is None or message.user == owner.login:
        return True
    if message.user is None and owner.anonymous:
        return True
    return address.normal(message.sender) in owner.addresses


async def place(connection: Connection, after: str | None) -> tuple[int, Key | None]:
    """In which part of the list a message stands, and where in it."""
    if after is None:
        return 0, None
    asked = await connection.execute(
        "SELECT leaves_at, done_at, n FROM message WHERE id = %s", (storable(after),)
    )
    row = await asked.fetchone()
    if row is None:
        raise NoSuchMessage(f"the list cannot go on after {after!r}: there is no such message any more")
    leaves_at, done_at, number = row
    if done_at is not None:
        return 2, (done_at, number)
    return (1, (None, number)) if leaves_at is None else (0, (leaves_at, number))


async def stretch(
    connection: Connection,
    part: Part,
    states: Set[MessageState],
    asked: Asked,
    after: Key,
    limit: int,
) -> Sequence[tuple[Any, ...]]:
    """The rows of one stretch: its key, then columns.READ."""
    values = {"at": after[0], "n": after[1], "limit": limit}
    found: dict[int, tuple[Any, ...]] = {}
    names = [one.value for one in states]
    for whose, who in asked:
        for some in [[name] for name in names] if part.apart(whose) else [names]:
            wanted = {**values, "who": who, "states": some, "state": some[0]}
            rows_found = await (await connection.execute(part.query(whose), wanted)).fetchall()
            found |= {row[1 + columns.NUMBER]: row for row in rows_found}
    ordered = sorted(
        found.values(),
        key=lambda row: (row[0] or _FIRST, row[1 + columns.NUMBER]),
        reverse=part.newest_first,
    )
    return ordered[:limit]
