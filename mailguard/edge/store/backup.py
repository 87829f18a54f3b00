"""Copies of the store's file that can be put back: made while the guard runs, and known for what they are.

SQLite writes to the file itself only when it writes its log back. While somebody copies, that is put off
(Standstill), so that the copy is the store of one moment, to the last commit before it; mail goes on into the
log. Whoever copies is another process: closing a file drops the locks that this process has on it.
"""

import asyncio
import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from mailguard.core.errors import StoreError
from mailguard.core.states import FINISHED
from mailguard.core.value import dataclass
from mailguard.edge.store import engine, rows
from mailguard.edge.store.sqlite import Database
from mailguard.ports import Clock, Still

# Whoever copies says so every second; when nothing is heard for so long, the log is written back again.
LEASE_SECONDS = 30.0
# What the log may grow to meanwhile: writing it back holds everybody up once, some 10 ms for each MiB.
LARGEST_LOG = 128 * 1024 * 1024
# SQLite's own default, in pages.
AUTOCHECKPOINT = 1000
PIECE = 1024 * 1024

# Where the file's header says that it has a write-ahead log (sqlite.org/fileformat.html, section 1.3).
_LOG_MARK = slice(18, 20)


class Standstill:
    """ports.Backup for one open database; `close` before the database."""

    def __init__(self, database: Database, *, clock: Clock, lease: float = LEASE_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._token: str | None = None
        self._over: asyncio.TimerHandle | None = None
        self._resuming: asyncio.Task[None] | None = None

    async def begin(self) -> Still:
        """The file stands still from here on. Raises StoreError where somebody else is copying."""
        if self._token is not None:
            raise StoreError("a backup is being made already; try again when it is done")
        token = self._token = secrets.token_hex(8)
        # Before the file stands: all that was answered by then is in it.
        at = self._clock.now()
        try:
            size = await self._database.read(_halt)
        except BaseException:
            await self._resume()
            raise
        self._wait()
        return Still(path=self._database.path, size=size, token=token, at=at)

    async def renew(self, token: str) -> bool:
        """The copying goes on. False where the time is over, or too much mail came in meanwhile."""
        if token != self._token:
            return False
        if _log_size(self._database.path) > LARGEST_LOG:
            await self._resume()
            return False
        self._wait()
        return True

    async def end(self, token: str) -> bool:
        """The copying is over; whether the file stood still all the time."""
        if token != self._token:
            return False
        await self._resume()
        return True

    async def close(self) -> None:
        """Nobody copies any more."""
        if self._token is not None:
            await self._resume()
        if self._resuming is not None:
            await asyncio.wait({self._resuming})

    def _wait(self) -> None:
        if self._over is not None:
            self._over.cancel()
        self._over = asyncio.get_running_loop().call_later(self._lease, self._give_up)

    def _give_up(self) -> None:
        self._resuming = asyncio.create_task(self._resume())

    async def _resume(self) -> None:
        # First of all, so that nobody is told that the file still stands.
        self._token = None
        if self._over is not None:
            self._over.cancel()
            self._over = None
        with contextlib.suppress(StoreError):
            await self._database.read(_go_on)


def _halt(connection: sqlite3.Connection) -> int:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreError("the store's log cannot be written back now; try again")
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * page)


def _go_on(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT}").fetchall()


def _log_size(path: Path) -> int:
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A finished backup: how large it is, and how many messages in it are not finished."""

    path: Path
    at: datetime
    size: int
    unfinished: int


def at_rest(path: Path) -> Still:
    """The file of a stopped guard, with its log written back; the caller has the lock of the state directory.

    Raises StoreError.
    """
    if not path.exists():
        raise StoreError(f"there is no queue at {path} yet; nothing to back up")
    try:
        engine.connect(path).close()
    except (sqlite3.Error, OSError) as error:
        raise engine.translated(error, path) from error
    if _log_size(path):
        raise StoreError(f"the log of {path} could not be written back; is there room on its disk?")
    return Still(path=path, size=path.stat().st_size, token="", at=datetime.now(UTC))


def copy(still: Still, target: Path, *, going_on: Callable[[int], object]) -> None:
    """Copy a file that stands still, to the disk. `going_on` is called with the bytes that are there, and
    may raise to stop it. Raises OSError, StoreError."""
    done = 0
    made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with still.path.open("rb") as source, os.fdopen(made, "wb") as copied:
        before = os.fstat(source.fileno())
        while done < still.size and (piece := source.read(min(PIECE, still.size - done))):
            copied.write(piece)
            done += len(piece)
            going_on(done)
        after = os.fstat(source.fileno())
    # A disk that failed or was full made the guard write its log back after all.
    if done < still.size or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise StoreError(f"{still.path} was changed while it was copied; try again")


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A name in the directory of `target` for a file that is to become it; what is left of it is removed."""
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        yield unfinished
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)


def finish(copied: Path, still: Still, target: Path, *, force: bool) -> Made:
    """Look the copy over, mark it as what it is, and give it its name.

    Raises StoreError where it is damaged, FileExistsError where `target` is there and not to be replaced.
    """
    unfinished = _marked(copied, still.at)
    size = copied.stat().st_size
    _synced(copied)
    if force:
        copied.replace(target)
    else:
        # Unlike a rename, a link never takes the place of a file that came meanwhile.
        os.link(copied, target)
        copied.unlink()
    _synced(target.absolute().parent)
    return Made(path=target, at=still.at, size=size, unfinished=unfinished)


def _marked(copied: Path, at: datetime) -> int:
    try:
        with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
            # One file, with nothing beside it.
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            found = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != [("ok",)]:
                raise StoreError(f"the store is damaged ({found[0][0]}): no backup was made of it")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM backup")
            connection.execute("INSERT INTO backup (at) VALUES (?)", (rows.time(at),))
            connection.execute("COMMIT")
            counted = connection.execute("SELECT state, messages FROM tally").fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"the copy cannot be read ({error}): no backup was made") from error
    return sum(messages for state, messages in counted if state not in FINISHED)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_log(path: Path) -> None:
    """A backup that was put in the place of a queue must not meet that queue's log: it would be read into it.

    Raises StoreError where it would.
    """
    log = path.with_name(path.name + "-wal")
    try:
        with path.open("rb") as file:
            mark = file.read(100)[_LOG_MARK]
        foreign = mark == b"\x01\x01" and log.stat().st_size > 0
    except FileNotFoundError:
        return
    if foreign:
        raise StoreError(
            f"{log} does not belong to {path}, which is a backup; move it out of the state directory, and"
            " keep it until all is well"
        )
