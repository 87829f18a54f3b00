"""ports.Store on SQLite: each method is one job for the database's task (sqlite.py)."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from mailguard.core.errors import StoreError, StoreFull
from mailguard.core.events import Event
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.value import replace
from mailguard.edge.store import outbox, queries, rows, searching, steps
from mailguard.edge.store.bulk import Row
from mailguard.edge.store.pieces import PIECE, Pieces
from mailguard.edge.store.sqlite import Database
from mailguard.edge.store.steps import Bite, Due, Step
from mailguard.edge.store.turns import Turns
from mailguard.ports import Census, First, Found, Mark, Node, Page, Search
from mailguard.ports.outward import Announcer

# What moves, claims and settlements need must still fit when no more mail is taken: the write-ahead log
# may grow by some 4 MB until it is written back, and the file by as much.
RESERVE_BYTES = 16 * 1024 * 1024
PAGE_BYTES = 4096
# How often one `forget` may give free pages back: at most 256 MB, a bite at a time between other jobs.
SHRINK_BITES = 256
# The rows of a message are small; only its bytes weigh.
ROW_BYTES = 2048


class SqliteStore:
    """The queue. New mail is refused (StoreFull) where it would leave less than `reserve` bytes of room, so
    that what was taken before can still be cancelled, sent and written down as sent. `changed` is told of
    every message that is new, or another than before. What the `announcer` makes of a change is written in
    the change's own transaction."""

    def __init__(
        self,
        database: Database,
        *,
        reserve: int = RESERVE_BYTES,
        changed: Callable[[HeldMessage], None] = lambda message: None,
        announcer: Announcer | None = None,
    ) -> None:
        self._database = database
        self._reserve = reserve
        self._turns = Turns()
        self._pieces = Pieces(database, self._faults)
        self._changed = changed
        self._announcer = announcer

    async def add(self, new: NewMessage, mark: Mark | None = None) -> First | None:
        """Put a message in with what comes `also`, or find that it was handed in before. On return it
        survives a loss of power. Raises StoreFull, StoreError."""
        adds = [rows.added(one) for one in (new, *new.also)]
        step = Step(adds, mark=mark, news=self._news(new.message, new.event))
        taken = await self._take(step)
        if isinstance(taken, First):
            return taken
        self._changed(new.message)
        return None

    async def apply(self, change: Change) -> bool:
        """Make one step, whole, if nobody was faster; False where somebody was, or where the message is
        forgotten (nothing changed then)."""
        adds = [rows.added(new) for new in change.adds]
        step = Step(adds, rows.changed(change), news=self._news(change.after, change.event))
        taken = await self._take(step) is True
        if taken:
            self._changed(change.after)
        if taken and change.drop_body and change.before.size > PIECE:
            await self._pieces.clear()
        return taken

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
        """Take in hand at most `limit` messages with due recipients, most overdue first. Fewer where their
        bytes would be too many for the memory (taking.CLAIM_BYTES)."""
        claimed = await self._database.write(self._claim_all, Due(now, limit), vital=True)
        for one in claimed:
            self._changed(one.message)
        return claimed

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
        """Messages in state RELAYING."""
        return await self._database.read(queries.stranded, self._database.log)

    async def forget(self, finished_before: datetime, undo_before: datetime, limit: int) -> int:
        """Remove bytes and metadata that nobody can want any more, and give room back to the disk; how many
        messages were touched. When there are none, no bytes of any are left in the log either."""
        touched = await self._database.write(
            steps.forget, Bite(finished_before, undo_before, limit), vital=True
        )
        await self._pieces.clear(vital=True)
        for _ in range(SHRINK_BITES):
            if not await self._database.read(steps.shrink):
                break
        if not touched:
            await self._database.read(steps.empty_log)
        return touched

    async def census(self, now: datetime) -> Census:
        """Counts by state, and what is overdue: not gone by the time its sender was told, and the margin."""
        return await self._database.read(queries.census, now)

    async def nodes(self) -> Sequence[Node]:
        """Nobody shares it."""
        return ()

    async def restored_from(self) -> datetime | None:
        """When the backup was made that this store was restored from."""
        return await self._database.read(queries.restored_from)

    async def settled_in(self) -> None:
        """What a restored store held is taken care of."""
        await self._database.write(steps.settle_in, None)

    async def close(self) -> None:
        """Finish what is being written and let the database go."""
        await self._database.close()

    async def _take(self, step: Step) -> bool | First:
        if any(len(one.content) > PIECE for one in step.adds):
            async with self._pieces.upload(step.adds, vital=step.change is not None) as upload:
                taken = await self._written(replace(step, adds=upload.adds))
                upload.named = taken is True
        else:
            taken = await self._written(step)
        if step.news and self._announcer is not None:
            self._announcer.written()
        return taken

    async def _written(self, step: Step) -> bool | First:
        weight = sum([len(one.content) for one in step.adds]) + ROW_BYTES
        vital = step.change is not None
        taken: bool | First = await self._database.write(self._take_all, step, weight=weight, vital=vital)
        return taken

    def _news(self, message: HeldMessage, event: Event) -> Sequence[Row]:
        """The rows of what is to be told outside."""
        if self._announcer is None:
            return ()
        return [outbox.row(dispatch) for dispatch in self._announcer.news(message, event)]

    def _take_all(
        self, connection: sqlite3.Connection, asked: Sequence[Step]
    ) -> Sequence[bool | First | Exception]:
        sizes = [(sum(len(one.content) for one in step.adds), step.change is not None) for step in asked]
        faults = self._faults(connection, sizes)
        fitting = [step for step, fault in zip(asked, faults, strict=True) if fault is None]
        taken = iter(steps.take(connection, fitting))
        return [fault or next(taken) for fault in faults]

    def _faults(
        self, connection: sqlite3.Connection, wanted: Sequence[tuple[int, bool]]
    ) -> list[StoreError | None]:
        """None for each of these sizes for which there is room; for a move (`vital`) there always is."""
        if all(vital for _, vital in wanted):
            return [None] * len(wanted)
        free = shutil.disk_usage(self._database.path.parent).free
        if free - 2 * sum(size for size, _ in wanted) >= self._reserve:
            # As nearly always: nobody needs to count the unused pages.
            return [None] * len(wanted)
        (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
        full = StoreFull(f"the disk of {self._database.path} is nearly full; make room there")
        faults: list[StoreError | None] = []
        for size, vital in wanted:
            # Bytes go into the log and then into the file; only the file has unused pages for them.
            room = (
                free + unused * PAGE_BYTES - 2 * size >= self._reserve and free - size >= self._reserve // 4
            )
            faults.append(None if room or vital else full)
            free -= 0 if faults[-1] else 2 * size
        return faults

    def _claim_all(self, connection: sqlite3.Connection, asked: Sequence[Due]) -> Sequence[list[Claimed]]:
        return steps.claim(connection, asked, self._database.log, self._turns)
