"""ports.Store on PostgreSQL, for one of several guards; a job for each method, as on SQLite."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.core.events import Event
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.news import Dispatch
from mailguard.core.states import MessageState
from mailguard.edge.store.postgres import forgetting, origin, queries, searching, steps
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.postgres.lease import Lease
from mailguard.edge.store.postgres.nodes import nodes
from mailguard.edge.store.postgres.numbers import Numbers
from mailguard.edge.store.postgres.steps import Due, LeaseOver, Step
from mailguard.edge.store.postgres.turns import Turns
from mailguard.edge.store.steps import Bite
from mailguard.ports import Census, First, Found, Mark, Node, Page, Search
from mailguard.ports.outward import Announcer

Connection = AsyncConnection[tuple[Any, ...]]

# The row of a message is small; only its bytes weigh.
ROW_BYTES = 2048


class PostgresStore:
    """The queue that several guards share. What this one claims belongs to its `lease`. `changed` is told of
    every message that is new, or another than before, by this guard's doing. What the `announcer` makes of a
    change is written in the change's own transaction."""

    def __init__(
        self,
        database: SharedDatabase,
        *,
        lease: Lease,
        changed: Callable[[HeldMessage], None] = lambda message: None,
        announcer: Announcer | None = None,
    ) -> None:
        self._database = database
        self._changed = changed
        self._announcer = announcer
        self._lease = lease
        self._numbers = Numbers()
        self._turns = Turns()
        # What was claimed and is not settled, by id; and whether a claim came to an unknown end, so that the
        # database may say that there is more.
        self._in_hand: dict[str, str] = {}
        self._unsure = False

    async def add(self, new: NewMessage, mark: Mark | None = None) -> First | None:
        """Put a message in with what comes `also`, or find that it was handed in before, to whichever guard.
        On return it survives a loss of power. Raises StoreFull, StoreError."""
        step = Step((new, *new.also), mark=mark, news=self._news(new.message, new.event))
        taken = await self._database.write(self._add_all, step, weight=_weight(step))
        if isinstance(taken, First):
            return taken
        self._told(new.message, step)
        return None

    async def apply(self, change: Change) -> bool:
        """Make one step, whole, if nobody was faster; False where somebody was, or where the message is
        forgotten (nothing changed then)."""
        step = Step(change.adds, change, news=self._news(change.after, change.event))
        done = await self._database.write(self._apply_all, step, weight=_weight(step)) is True
        if done and change.after.state is not MessageState.RELAYING:
            self._in_hand.pop(change.before.id, None)
        if done:
            self._told(change.after, step)
        return done

    async def find(self, prefix: str) -> HeldMessage:
        """The message whose id is, or starts with, `prefix`. Raises NoSuchMessage, AmbiguousId."""
        return await self._database.read(queries.find, prefix)

    async def page(self, page: Page) -> Sequence[HeldMessage]:
        """One page of the list; a sender is found in every spelling of the address. Raises NoSuchMessage
        where the message to go on after is forgotten."""
        return await self._database.read(queries.page, page, self._database.log)

    async def search(self, search: Search) -> Found:
        """The first messages that fit. Raises NoSuchMessage where the place to look on is forgotten."""
        return await self._database.read(searching.search, search, self._database.log)

    async def content(self, message_id: str) -> bytes | None:
        """The bytes as received, or None where they are gone."""
        return await self._database.read(queries.content, message_id)

    async def events(self, message_id: str) -> Sequence[Event]:
        """A message's history, oldest first."""
        return await self._database.read(queries.events, message_id)

    async def claim(self, now: datetime, limit: int) -> Sequence[Claimed]:
        """Take in hand at most `limit` messages with due recipients, most overdue first, and each
        sender in turn. Fewer where their bytes would be too many for the memory (taking.CLAIM_BYTES)."""
        try:
            return await self._claim(now, limit, await self._lease.owner())
        except LeaseOver:
            self._lease.lost()
            return await self._claim(now, limit, await self._lease.owner())

    def holds_until(self, message_id: str) -> float:
        """Until when (time.monotonic) nobody else takes over this message, which was claimed here."""
        return self._lease.until if self._in_hand.get(message_id) == self._lease.id else 0.0

    async def next_due(self) -> datetime | None:
        """When the next claim or expiry will have something to do; None where nothing waits for a time."""
        return await self._database.read(queries.next_due)

    async def expired(self, now: datetime, limit: int) -> Sequence[HeldMessage]:
        """Messages whose `expires_at` has come and whose state may expire, longest over first."""
        return await self._database.read(queries.expired, now, limit, self._database.log)

    async def to_remind(self, now: datetime, limit: int) -> Sequence[HeldMessage]:
        """Messages whose `remind_at` has come while they wait for a yes, longest over first."""
        return await self._database.read(queries.to_remind, now, limit, self._database.log)

    async def stranded(self) -> Sequence[HeldMessage]:
        """Messages in the hands of a guard whose lease is over."""
        return await self._database.read(queries.stranded, self._database.log)

    async def forget(self, finished_before: datetime, undo_before: datetime, limit: int) -> int:
        """Remove bytes and metadata that nobody can want any more; how many messages were touched. The room
        is the database's again when its autovacuum comes by."""
        bite = Bite(finished_before, undo_before, limit)
        return await self._database.write(forgetting.forget, bite)

    async def census(self, now: datetime) -> Census:
        """Counts by state, and what is overdue: not gone by the time its sender was told, and the margin."""
        return await self._database.read(queries.census, now)

    async def nodes(self) -> Sequence[Node]:
        """The guards that share the queue."""
        return await self._database.read(nodes)

    async def restored_from(self) -> datetime | None:
        """When the dump was made, or nearly, that this database was restored from."""
        return await self._database.read(origin.restored_from)

    async def settled_in(self) -> None:
        """What a restored store held is taken care of."""
        await self._database.read(origin.settle_in)

    async def close(self) -> None:
        """Finish what is being written, leave what is in hand to the others, let the database go."""
        await self._lease.end()
        await self._database.close()

    async def _claim(self, now: datetime, limit: int, owner: str) -> Sequence[Claimed]:
        if self._unsure:
            return await self._found_again(owner)
        try:
            claimed = await self._database.write(self._claim_all, Due(now, limit, owner))
        except LeaseOver:
            raise
        except StoreError:
            # It may have been done all the same.
            self._unsure = True
            raise
        return self._taken(claimed, owner)

    def _taken(self, claimed: Sequence[Claimed], owner: str) -> Sequence[Claimed]:
        # What belonged to an earlier lease is in other hands.
        mine = {message_id: by for message_id, by in self._in_hand.items() if by == owner}
        self._in_hand = mine | {one.message.id: owner for one in claimed}
        for one in claimed:
            self._changed(one.message)
        return claimed

    def _told(self, message: HeldMessage, step: Step) -> None:
        self._changed(message)
        if step.news and self._announcer is not None:
            self._announcer.written()

    def _news(self, message: HeldMessage, event: Event) -> Sequence[Dispatch]:
        return () if self._announcer is None else self._announcer.news(message, event)

    async def _found_again(self, owner: str) -> Sequence[Claimed]:
        """What an earlier claim took whose answer was lost: nobody has begun with it."""
        mine = [one for one, by in self._in_hand.items() if by == owner]
        found = await self._database.read(steps.in_hand, owner, mine, self._database.log)
        self._unsure = False
        return self._taken(found, owner)

    async def _add_all(
        self, connection: Connection, asked: Sequence[Step]
    ) -> Sequence[bool | First | Exception]:
        return await steps.take(connection, asked, self._numbers)

    async def _apply_all(
        self, connection: Connection, asked: Sequence[Step]
    ) -> Sequence[bool | First | Exception]:
        return await steps.take(connection, asked, self._numbers)

    async def _claim_all(
        self, connection: Connection, asked: Sequence[Due]
    ) -> Sequence[Sequence[Claimed] | Exception]:
        return await steps.claim(connection, asked, self._database.log, self._turns)


def _weight(step: Step) -> int:
    return sum(ROW_BYTES + len(one.content) for one in step.adds) + ROW_BYTES
