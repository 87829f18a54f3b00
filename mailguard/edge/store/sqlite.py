"""The SQLite database of one guard: one connection, and one task that all work on it goes through.

Whoever reads or writes puts a job into a queue and waits for its answer. The task answers all the reads that
wait, then makes one transaction of all the writes of one kind: one sync of the disk serves them all (group
commit), and nobody ever sees what is not on the disk yet. A caller that is cancelled stops waiting; the
transaction is the task's, and goes on.
"""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import aiosqlite

from mailguard.core.errors import StoreError
from mailguard.core.value import dataclass
from mailguard.edge.store import engine
from mailguard.edge.store.examining import unknown_states
from mailguard.edge.store.pen import Bulk, Pen, Write
from mailguard.ports import Log

# No transaction much larger than this, some ten milliseconds: those behind it wait for it.
BATCH_BYTES = 1024 * 1024
# What is heavier gives way to what is not.
LIGHT = 256 * 1024

P = ParamSpec("P")
R = TypeVar("R")
J = TypeVar("J")


# No repr: a job carries a message, and aiosqlite writes the repr of what it does into its debug log.
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class _Read:
    query: Callable[[sqlite3.Connection], Any]
    future: "asyncio.Future[Any]"


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection and thread, entered by one whole function at a time: the four statements of a
    transaction, each a way to the thread and back, took twice as long."""

    async def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """What `function` makes of the connection, in the connection's thread."""
        result: R = await self._execute(function, self._conn, *args, **kwargs)  # type: ignore[no-untyped-call]
        return result

    async def end(self) -> None:
        """Close the file, and see the thread end: it is no daemon, and would keep the process alive."""
        try:
            await self.close()
        finally:
            self._thread.join()


class Database:
    """The open database file. Make one with `open`; `close` must be called, also after a failure."""

    def __init__(
        self, connection: _Connection, path: Path, log: Log, pen: Pen, has_room: Callable[[], bool]
    ) -> None:
        self.path = path
        self.log = log
        self._connection = connection
        self._pen = pen
        self._has_room = has_room
        self._unknown = 0
        self._reads: deque[_Read] = deque()
        self._writes: deque[Write] = deque()
        self._wanted = asyncio.Event()
        self._closing = False
        self._heavy_last = False
        self._task = asyncio.create_task(self._serve(), name="store")

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        log: Log,
        make_room: Callable[[], bool] = lambda: False,
        has_room: Callable[[], bool] = lambda: True,
    ) -> Self:
        """Open the file, making or upgrading it where that is needed. `make_room` is asked, in the store's
        thread, where the disk is full and something vital is to be written; it tells whether it made some.
        `has_room` tells whether what was made then is to be had again.

        Raises StoreLocked where another program has it, StoreError where it is damaged or cannot be written,
        UnknownSchema where a newer mailguard wrote it.
        """
        connection = _Connection(partial(engine.connect, path), iter_chunk_size=64)
        opening = asyncio.ensure_future(connection)
        try:
            await asyncio.shield(opening)
        except BaseException as error:
            # A cancel does not stop the thread; left alone, it would keep the file, and the process.
            await asyncio.wait({opening})
            await connection.end()
            if isinstance(error, Exception):
                raise engine.translated(error, path) from error
            raise
        return cls(connection, path, log, Pen(make_room), has_room)

    async def read(
        self, query: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """What `query` finds. It runs between two transactions, so it sees only what is on the disk."""
        future = self._future()
        self._reads.append(_Read(lambda connection: query(connection, *args, **kwargs), future))
        self._wanted.set()
        result: R = await future
        return result

    async def write(self, bulk: Bulk[J, R], job: J, *, weight: int = 0, vital: bool = False) -> R:
        """What `bulk` makes of the job, once it is on the disk; `weight` is roughly its size in bytes.
        A `vital` job may have the last of the disk's room.

        Jobs of the same `bulk` that wait at the same time are handed to it together. A job that was put in
        is done, even where its caller is cancelled: what an upstream has taken must be written down.
        """
        future = self._future()
        self._writes.append(Write(bulk, job, weight, vital, future))
        self._wanted.set()
        result: R = await future
        return result

    async def look(self, next_due: datetime | None) -> None:
        """Where the disk failed or was full, see whether it works again."""
        if self._closing:
            return
        if self._pen.doubtful:
            await self.read(self._pen.try_again)
        if self._pen.tight and self._has_room():
            await self.read(self._pen.relax)
        with contextlib.suppress(StoreError):
            self._unknown = await self.read(unknown_states)

    def told(self) -> str | None:
        """Why nothing can be written at this moment; None where it can."""
        if self._pen.doubtful:
            return f"the disk of {self.path} failed, and nothing can be stored; look into the system's log"
        if self._unknown:
            return (
                f"{self._unknown} messages in {self.path} have a state that this version does not know, and"
                " stay where they are; install the newer mailguard that wrote them"
            )
        return None

    def refuses(self) -> bool:
        """Whether nothing can be stored."""
        return self._pen.doubtful

    async def close(self) -> None:
        """Finish what was asked for, then close the file. A second call does nothing."""
        self._closing = True
        self._wanted.set()
        await asyncio.wait({self._task})

    def _future(self) -> "asyncio.Future[Any]":
        if self._closing:
            raise StoreError(f"the store {self.path} is closed")
        return asyncio.get_running_loop().create_future()

    async def _serve(self) -> None:
        try:
            while await self._more():
                await self._turn(self._read_all, self._take_reads())
                await self._turn(self._pen.write, self._take_writes())
        finally:
            self._closing = True
            left: list[_Read | Write] = [*self._reads, *self._writes]
            for job in left:
                _settle(job.future, StoreError(f"the store {self.path} is closed"))
            await self._connection.end()

    async def _more(self) -> bool:
        while not (self._reads or self._writes):
            if self._closing:
                return False
            self._wanted.clear()
            await self._wanted.wait()
        return True

    def _take_reads(self) -> list[_Read]:
        # Nobody waits for the answer of a cancelled caller.
        jobs = [job for job in self._reads if not job.future.done()]
        self._reads.clear()
        return jobs

    def _take_writes(self) -> list[Write]:
        """The first job and all those like it: what is quick to do does not wait for what is slow."""
        jobs: list[Write] = []
        others: deque[Write] = deque()
        room = BATCH_BYTES
        light = self._light_first()
        while self._writes:
            job = self._writes.popleft()
            other = jobs and (job.bulk != jobs[0].bulk or job.weight > room)
            if other or (light and job.weight > LIGHT):
                others.append(job)
                continue
            jobs.append(job)
            room -= job.weight
        self._writes = others
        self._heavy_last = any(job.weight > LIGHT for job in jobs)
        return jobs

    def _light_first(self) -> bool:
        """Behind a large message all the small ones have their turn, and then again one that is large."""
        return self._heavy_last and any(job.weight <= LIGHT for job in self._writes)

    async def _turn(
        self, perform: Callable[[sqlite3.Connection, list[Any]], list[Any]], jobs: list[Any]
    ) -> None:
        if not jobs:
            return
        try:
            results = await self._connection.run(perform, jobs)
        except BaseException:
            # The guard itself is being torn down; what the thread made of the jobs nobody can tell.
            for job in jobs:
                _settle(job.future, StoreError(f"the store {self.path} was stopped in the middle of this"))
            raise
        for job, result in zip(jobs, results, strict=True):
            _settle(job.future, self._told(result) if isinstance(result, Exception) else result)

    def _read_all(self, connection: sqlite3.Connection, reads: list[_Read]) -> list[Any]:
        results: list[Any] = []
        for read in reads:
            try:
                results.append(read.query(connection))
            except Exception as error:  # noqa: BLE001  it is the asker's, and told to the asker
                # Some of what is asked between the transactions writes all the same: free pages given back.
                self._pen.doubt(connection, error)
                results.append(error)
        return results

    def _told(self, error: Exception) -> Exception:
        told = engine.translated(error, self.path)
        if type(told) is StoreError:
            self.log.trouble("store_fault", file=str(self.path), fault=str(told))
        return told


def _settle(future: "asyncio.Future[Any]", result: object) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
