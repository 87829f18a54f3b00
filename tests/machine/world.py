"""The guard of the state machine: the real store and the real use cases, a clock that stands still, an
upstream that answers when it is told to, and a way to lose everything that is not on the disk."""

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from mailguard.core.delivery import Answer, Outcome
from mailguard.core.envelope import Envelope, Recipient, Submission
from mailguard.core.errors import StoreError
from mailguard.core.events import Event
from mailguard.core.facts import Thread
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.reply import Reply
from mailguard.edge.store import Database, SqliteMemory, SqliteStore
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.decide import Decide
from mailguard.flow.receive import Receive
from mailguard.flow.release import Release
from mailguard.flow.remember import Remember
from mailguard.flow.retention import Retention
from mailguard.ports import Census, First, Mark, Page
from tests.flow.parts import NoBodies, Rules
from tests.machine import ledger as ledgers
from tests.machine.books import Books
from tests.machine.clock import Clock
from tests.machine.ledger import Reply as Word
from tests.upstreams import Lines

T = TypeVar("T")

WORKERS = 2
# Turns of the loop after which nothing moves any more: no path through the use cases has more steps
# between two calls of the store, the upstream or the clock.
TURNS = 30
# Whoever never comes to rest goes in a circle.
MOST_TURNS = 20_000

ANSWERS = {
    Word.TAKEN: Answer.TAKEN,
    Word.NEVER: Answer.NEVER,
    Word.LATER: Answer.LATER,
    Word.UNHEARD: Answer.LATER,
    Word.LOST: Answer.LATER,
}


class Trap:
    """What may go wrong with the store: `faults` calls that change something fail, and after `fuse` more
    of them the process is gone, before or after the change is on the disk."""

    def __init__(self) -> None:
        self.pending = 0
        self.faults = 0
        self.fuse: int | None = None
        self.blown = False
        self.dead = False

    async def spring(self, *, after: bool) -> None:
        """A change is about to be made, or was just made."""
        if self.dead:
            raise StoreError("this process is gone")
        if self.blown:
            await self.nothing_more()
        if not after and self.faults:
            self.faults -= 1
            raise StoreError("a fault by script")
        # Two instants a change: before it, and after it.
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.blown = True
                await self.nothing_more()

    async def nothing_more(self) -> None:
        """Nobody goes on from here."""
        self.pending -= 1
        await asyncio.get_running_loop().create_future()


class TappedStore:
    """ports.Store: the real one, and the books that hear of every change which is on the disk."""

    def __init__(self, store: SqliteStore, trap: Trap, books: Books) -> None:
        self._store = store
        self._trap = trap
        self._books = books
        # A change that was asked for is made, even where nobody waits for it any more.
        self.under_way: set[asyncio.Future[Any]] = set()

    async def _read(self, answer: Awaitable[T]) -> T:
        self._trap.pending += 1
        try:
            return await answer
        finally:
            self._trap.pending -= 1

    async def _write(self, change: Callable[[], Awaitable[T]], entered: Callable[[T], None]) -> T:
        async def make() -> T:
            result = await change()
            self._books.hear(entered, result)
            return result

        self._trap.pending += 1
        try:
            await self._trap.spring(after=False)
            making = asyncio.ensure_future(make())
            self.under_way.add(making)
            making.add_done_callback(self.under_way.discard)
            result = await asyncio.shield(making)
            await self._trap.spring(after=True)
            return result
        finally:
            self._trap.pending -= 1

    async def add(self, new: NewMessage, mark: Mark | None = None) -> First | None:
        def entered(first: First | None) -> None:
            self._books.added(new, None if first is None else first.id)

        return await self._write(lambda: self._store.add(new, mark), entered)

    async def apply(self, change: Change) -> bool:
        def entered(won: bool) -> None:
            if won:
                self._books.changed(change)

        return await self._write(lambda: self._store.apply(change), entered)

    async def claim(self, now: datetime, limit: int) -> Sequence[Claimed]:
        return await self._write(lambda: self._store.claim(now, limit), self._books.claimed)

    async def forget(self, finished_before: datetime, undo_before: datetime, limit: int) -> int:
        return await self._write(
            lambda: self._store.forget(finished_before, undo_before, limit),
            lambda _: self._books.forgotten(finished_before, undo_before),
        )

    async def find(self, prefix: str) -> HeldMessage:
        return await self._read(self._store.find(prefix))

    async def page(self, page: Page) -> Sequence[HeldMessage]:
        return await self._read(self._store.page(page))

    async def content(self, message_id: str) -> bytes | None:
        return await self._read(self._store.content(message_id))

    async def events(self, message_id: str) -> Sequence[Event]:
        return await self._read(self._store.events(message_id))

    async def next_due(self) -> datetime | None:
        return await self._read(self._store.next_due())

    async def expired(self, now: datetime, limit: int) -> Sequence[HeldMessage]:
        return await self._read(self._store.expired(now, limit))

    async def stranded(self) -> Sequence[HeldMessage]:
        return await self._read(self._store.stranded())

    async def census(self, now: datetime) -> Census:
        return await self._read(self._store.census(now))

    async def restored_from(self) -> datetime | None:
        return await self._read(self._store.restored_from())

    async def settled_in(self) -> None:
        await self._read(self._store.settled_in())

    async def close(self) -> None:
        await self._store.close()


class TappedMemory(SqliteMemory):
    """ports.Memory: the real one, seen to be at work."""

    def __init__(self, database: Database, trap: Trap) -> None:
        super().__init__(database)
        self._trap = trap

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        self._trap.pending += 1
        try:
            return await super().thread(message_ids)
        finally:
            self._trap.pending -= 1

    async def learn(self, message_id: str, answers: Sequence[str], participants: Sequence[str]) -> None:
        self._trap.pending += 1
        try:
            await super().learn(message_id, answers, participants)
        finally:
            self._trap.pending -= 1


class Upstream:
    """ports.Relay: each attempt waits for its answer; with `mood` set it comes at once, for everybody."""

    def __init__(self, trap: Trap, books: Books) -> None:
        self._trap = trap
        self._books = books
        self.mood: Word | None = None
        self.waiting: dict[str, tuple[int, asyncio.Future[Sequence[Word]]]] = {}

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """The bytes are on the way; what comes of them is decided outside."""
        if self._trap.blown:
            self._trap.pending += 1
            await self._trap.nothing_more()
        message = claimed.message
        addresses = [one.address for one in message.recipients if one.in_flight]
        self._books.hear(self._books.offered, message.id, addresses, content)
        if self.mood is None:
            answer = asyncio.get_running_loop().create_future()
            self.waiting[message.id] = len(addresses), answer
            words = await answer
        else:
            words = [self.mood] * len(addresses)
            self._books.hear(self._books.arrived, message.id, words)
        return [
            Outcome(
                address=address, answer=ANSWERS[word], reply=f"450 {word}", ambiguous=word in ledgers.WINDOW
            )
            for address, word in zip(addresses, words, strict=True)
        ]

    def answer(self, message_id: str, words: Sequence[Word]) -> None:
        """The upstream speaks, or the connection breaks."""
        _, answer = self.waiting.pop(message_id)
        self._books.arrived(message_id, words)
        answer.set_result(words)

    async def close(self) -> None:
        """Nothing to close."""


class World:
    """One guard after the other on the same queue. Everything but `books`, `clock` and the disk is new
    after a crash."""

    def __init__(self, directory: Path, rules: str) -> None:
        self._directory = directory
        self._generation = 0
        self._numbers = itertools.count(1)
        self.clock = Clock()
        self.books = Books(self.clock.now)
        self.rules = Rules(rules)
        self.log = Lines()

    @property
    def _path(self) -> Path:
        return self._directory / str(self._generation) / "queue.db"

    async def open(self) -> None:
        """Start, on what the disk has, and recover."""
        self._path.parent.mkdir(exist_ok=True)
        self.trap = Trap()
        self.upstream = Upstream(self.trap, self.books)
        self._database = await Database.open(self._path, log=self.log)
        self.store = TappedStore(SqliteStore(self._database), self.trap, self.books)
        self._join(TappedMemory(self._database, self.trap))
        await self.release.recover()
        self.books.all_recovered()
        self._timer = asyncio.create_task(self.release.run())
        await self.quiet()

    def _join(self, memory: TappedMemory) -> None:
        host, alarm = "guard.corp.example", Alarm(clock=self.clock)
        bouncing = Bouncing(ids=self._id, hostname=host, language="en")
        how: dict[str, Any] = {"store": self.store, "clock": self.clock, "log": self.log}
        out: dict[str, Any] = {"relay": self.upstream, "remember": Remember(memory=memory), "alarm": alarm}
        way_in: dict[str, Any] = {"memory": memory, "policies": self.rules, "bodies": NoBodies()}
        self.receive = Receive(**how, **way_in, ids=self._id, hostname=host, wake=alarm.sound)
        self.decide = Decide(**how, bouncing=bouncing, wake=alarm.sound)
        self.release = Release(**how, **out, bouncing=bouncing, hostname=host, workers=WORKERS)
        self.retention = Retention(**how, policies=self.rules)

    def _id(self) -> str:
        return f"{next(self._numbers):012d}"

    async def quiet(self) -> None:
        """Until everybody waits for the clock, the upstream or the next step of the machine."""
        still = turns = 0
        while still < TURNS:
            turns += 1
            assert turns < MOST_TURNS, f"the guard goes in a circle: {self.log.lines[-5:]}"
            await asyncio.sleep(0 if not self.trap.pending else 0.0001)
            still = 0 if self.trap.pending else still + 1
        if self._timer.done():
            self._timer.result()

    async def run(self, work: Awaitable[T]) -> T | None:
        """What came of it; None where the process was gone before it could be told."""
        task = asyncio.ensure_future(work)
        while not task.done() and not self.trap.blown:
            await asyncio.wait({task}, timeout=0.0005)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
            return None
        result = task.result()
        await self.quiet()
        return result

    async def submit(self, sender: str, to: Sequence[Recipient], content: bytes) -> Reply | None:
        """Hand a message in; what the client heard."""
        submission = Submission(
            envelope=Envelope(sender=sender, recipients=tuple(to)),
            content=content,
            user="anne",
            peer="192.0.2.7",
            helo="laptop",
            protocol="ESMTPSA",
            received_at=self.clock.now(),
        )
        return await self.run(self.receive.accept(submission))

    async def crash(self) -> None:
        """The process is gone: the next one finds the files as they are at this instant."""
        old = self._path.parent
        self._generation += 1
        await asyncio.gather(*self.store.under_way, return_exceptions=True)
        await self._database.read(lambda _: shutil.copytree(old, self._path.parent))
        self.trap.dead = True
        self._timer.cancel()
        await asyncio.wait({self._timer})
        await self._database.close()
        await _nobody_left()
        shutil.rmtree(old)
        await self.open()

    async def restart(self) -> None:
        """A polite stop and a start. What the upstream has in its ear must have been answered."""
        self.release.stop()
        while not self._timer.done():
            await asyncio.sleep(0.0005)
        self._timer.result()
        await self._database.close()
        await self.open()

    async def end(self) -> None:
        """Let the disk go."""
        self._timer.cancel()
        await asyncio.wait({self._timer})
        await self._database.close()
        await _nobody_left()


async def _nobody_left() -> None:
    """Whoever waits for a process that is gone is gone with it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
