"""What changes the shared queue, many jobs a transaction: new messages, moves, claims, and what is forgotten.

Every function here runs inside a transaction that the database's lane begins and ends. Rows of old messages
are locked in the order of their numbers, so that no two guards can wait for one another.
"""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.core.events import Event
from mailguard.core.hold import Change, Claimed, NewMessage
from mailguard.core.news import Dispatch
from mailguard.core.value import dataclass
from mailguard.edge.store import rows
from mailguard.edge.store.known import Fresh
from mailguard.edge.store.postgres import columns, outbox, resubmission
from mailguard.edge.store.postgres.bulk import RowsStatement, array
from mailguard.edge.store.postgres.columns import READ, Values
from mailguard.edge.store.postgres.numbers import Numbers
from mailguard.edge.store.postgres.turns import Turns
from mailguard.edge.store.taking import Taking
from mailguard.edge.store.text import storable
from mailguard.ports import First, Log, Mark

Connection = AsyncConnection[tuple[Any, ...]]

# A message's row: its number, columns.columns.
_ROW = ("bigint", *columns.TYPES)
_ADD = RowsStatement(
    head="""
    INSERT INTO message (n, id, version, state, next_due, leaves_at, done_at, expires_at, remind_at,
        body_kept, sender_key, login, size, document)""",
    types=_ROW,
)
_CHANGE = RowsStatement(
    head="""
    UPDATE message SET version = v.version, state = v.state, next_due = v.next_due, leaves_at = v.leaves_at,
        done_at = v.done_at, expires_at = v.expires_at, remind_at = v.remind_at, body_kept = v.body_kept,
        sender_key = v.sender_key, login = v.login, size = v.size, document = v.document,
        owner = coalesce(v.owner, message.owner)
    FROM""",
    types=(*_ROW, "text"),
    tail="""
    AS v (n, id, version, state, next_due, leaves_at, done_at, expires_at, remind_at, body_kept, sender_key,
        login, size, document, owner)
    WHERE message.n = v.n""",
)
_ADD_EVENT = RowsStatement(
    head="INSERT INTO event (message, version, at, event, by, detail)",
    types=("bigint", "integer", "text", "text", "text", "text"),
)
_ADD_BODY = RowsStatement(head="INSERT INTO body (message, content)", types=("bigint", "bytea"))
_DROP_BODY = "DELETE FROM body WHERE message = ANY (%s::bigint[])"
_ALIVE = "SELECT 1 FROM node WHERE id = %s AND lease_until > clock_timestamp()"


class LeaseOver(StoreError):
    """Nothing was claimed: the guard was taken for dead meanwhile."""


@dataclass(frozen=True, slots=True)
class Step:
    """New messages, one step of an old one, or both together. `mark` is that of the first new one; `news` is
    what of it is to be told outside."""

    adds: Sequence[NewMessage]
    change: Change | None = None
    mark: Mark | None = None
    news: Sequence[Dispatch] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """Ask for at most `limit` messages that are due at `now`, for the guard whose lease is `owner`."""

    now: datetime
    limit: int
    owner: str


@dataclass(slots=True)
class _Pile:
    """The rows of one transaction, by statement."""

    added: list[Values] = field(default_factory=list)
    changed: list[Values] = field(default_factory=list)
    events: list[Values] = field(default_factory=list)
    bodies: list[Values] = field(default_factory=list)
    bodiless: list[int] = field(default_factory=list)
    news: list[Values] = field(default_factory=list)

    def add(self, number: int, new: NewMessage) -> None:
        self.added.append((number, *columns.columns(new.message)))
        self._note(number, new.message.version, new.event)
        self.bodies.append((number, new.content))

    def change(self, number: int, change: Change, owner: str | None = None) -> None:
        self.changed.append((number, *columns.columns(change.after), owner))
        self._note(number, change.after.version, change.event)
        if change.drop_body:
            self.bodiless.append(number)

    def _note(self, number: int, version: int, event: Event) -> None:
        self.events.append((number, *map(_text, rows.event_row(version, event))))

    async def write(self, connection: Connection) -> None:
        for statement, values in (
            (_ADD, self.added),
            (_CHANGE, self.changed),
            (_ADD_EVENT, self.events),
            (_ADD_BODY, self.bodies),
            (outbox.PUT, self.news),
        ):
            await statement.run(connection, values)
        if self.bodiless:
            await connection.execute(_DROP_BODY, (array(self.bodiless),))


def _text(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


async def take(connection: Connection, steps: Sequence[Step], numbers: Numbers) -> list[bool | First]:
    """Make all these steps; False for one whose message is not at the version that it starts from, and the
    first message for one that was handed in before."""
    known = await resubmission.fresh(connection, [step.mark for step in steps if step.mark is not None])
    changes = [step.change for step in steps if step.change is not None]
    versions = await _locked(connection, [change.before.id for change in changes], known.numbers())
    await numbers.need(connection, sum(len(step.adds) for step in steps))
    pile = _Pile()
    results = [_made(step, pile, known, versions, numbers) for step in steps]
    await pile.write(connection)
    await resubmission.write(connection, known)
    return results


def _made(
    step: Step, pile: _Pile, known: Fresh, versions: dict[str, tuple[int, int]], numbers: Numbers
) -> bool | First:
    if step.mark is not None and (first := known.first(step.mark)) is not None:
        return first
    if step.change is not None:
        # Taken out of the table: of two steps of one message, the second is too late.
        number, version = versions.pop(step.change.before.id, (0, -1))
        if version != step.change.before.version:
            return False
        pile.change(number, step.change)
    pile.news += [outbox.row(dispatch) for dispatch in step.news]
    for place, new in enumerate(step.adds):
        number = numbers.take()
        if step.mark is not None and place == 0:
            known.add(number, new.message, step.mark)
        pile.add(number, new)
    return True


async def _locked(
    connection: Connection, ids: Sequence[str], besides: Sequence[int]
) -> dict[str, tuple[int, int]]:
    """Number and version of these messages by id; nobody else changes them before the transaction ends."""
    if not ids and not besides:
        return {}
    found = await connection.execute(
        """
        SELECT id, n, version FROM message WHERE id = ANY (%s) OR n = ANY (%s::bigint[])
        ORDER BY n FOR NO KEY UPDATE
        """,
        (list(ids), array(besides)),
    )
    return {message_id: (number, version) for message_id, number, version in await found.fetchall()}


async def claim(
    connection: Connection, asked: Sequence[Due], log: Log, turns: Turns
) -> list[list[Claimed] | Exception]:
    """Take in hand what is due (moves.claim), most overdue first, and each sender in turn; nothing that
    another guard looks at.

    LeaseOver for whose lease is over: what it claims would be anybody's.
    """
    results: list[list[Claimed] | Exception] = []
    for due in asked:
        alive = await connection.execute(_ALIVE, (due.owner,))
        taken = await _take_due(connection, due, log, turns)
        if await alive.fetchone() is None:
            results.append(LeaseOver("the lease of this guard is over; it begins a new one"))
            continue
        pile = _Pile()
        for number, change, _ in taken:
            pile.change(number, change, due.owner)
        await pile.write(connection)
        results.append([Claimed(message=change.after, content=content) for _, change, content in taken])
    return results


async def _take_due(
    connection: Connection, due: Due, log: Log, turns: Turns
) -> list[tuple[int, Change, bytes]]:
    taking = Taking(due.now, due.limit, log)
    passed: set[int] = set()
    # More than one round only where another guard was faster, or where something due cannot be claimed and
    # must not be in the way of the rest.
    while taking.wanted:
        numbers = await turns.due(connection, due.now, taking.wanted, passed)
        if not numbers:
            break
        passed.update(numbers)
        some = taking.fitting(await _still_due(connection, numbers, due.now), columns.SIZE)
        bodies = await _bodies(connection, [row[columns.NUMBER] for row in some])
        for row in some:
            for message in columns.readable([row], log):
                taking.take(row[columns.NUMBER], message, bodies.get(row[columns.NUMBER]))
    return taking.taken


async def _still_due(
    connection: Connection, numbers: Sequence[int], now: datetime
) -> Sequence[tuple[Any, ...]]:
    """Those of these messages that nobody else has taken, or is just looking at, in their order."""
    asked = await connection.execute(
        f"""
        SELECT {READ} FROM message AS m
        WHERE n = ANY (%s::bigint[]) AND next_due IS NOT NULL AND next_due <= %s FOR NO KEY UPDATE SKIP LOCKED
        """,
        (array(numbers), now),
    )
    found = {row[columns.NUMBER]: row for row in await asked.fetchall()}
    return [found[number] for number in numbers if number in found]


async def in_hand(connection: Connection, owner: str, but: Sequence[str], log: Log) -> list[Claimed]:
    """What this guard has in hand by the database's account, but for these ids."""
    asked = await connection.execute(
        f"SELECT {READ} FROM message AS m WHERE state = 'relaying' AND owner = %s AND id <> ALL (%s)",
        (owner, list(but)),
    )
    found = await asked.fetchall()
    bodies = await _bodies(connection, [row[columns.NUMBER] for row in found])
    claimed = []
    for row in found:
        for message in columns.readable([row], log):
            if (content := bodies.get(row[columns.NUMBER])) is not None:
                claimed.append(Claimed(message=message, content=content))
    return claimed


async def _bodies(connection: Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    if not numbers:
        return {}
    found = await connection.execute(
        "SELECT message, content FROM body WHERE message = ANY (%s::bigint[])",
        (array(numbers),),
        binary=True,
    )
    return {number: bytes(content) for number, content in await found.fetchall()}
