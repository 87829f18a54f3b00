"""Writes transactions in the store's thread, and knows what a disk that fails leaves behind.

After a sync that failed, Linux counts the pages it could not write as clean: the next sync succeeds, whether
they are on the disk or not. So nothing may be committed behind them in the log. What is committed so far is
written back into the database and synced there, the log is cut to nothing and begun anew; until that has
worked, every transaction is refused.
"""

import contextlib
import sqlite3
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mailguard.core.errors import StoreError
from mailguard.core.value import dataclass
from mailguard.edge.store import engine

# Pages of the log before it is written back: SQLite's own default, and on a full disk.
USUAL_LOG = 1000
SHORT_LOG = 16

R = TypeVar("R")
J = TypeVar("J")

Bulk = Callable[[sqlite3.Connection, Sequence[J]], Sequence[R | Exception]]
"""Does like jobs inside one transaction: a result for each, in their order; an exception as a result is
that job's alone, an exception raised undoes the whole transaction."""


# No repr: a job carries a message, and aiosqlite writes the repr of what it does into its debug log.
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Write:
    """One job; a vital one (a move, a claim, a settlement) may have the last of the disk's room."""

    bulk: Bulk[Any, Any]
    job: Any
    weight: int
    vital: bool
    future: "Future[Any]"


class Pen:
    """One for each connection; `make_room` frees a reserve on the disk and tells whether there was one."""

    def __init__(self, make_room: Callable[[], bool]) -> None:
        self._make_room = make_room
        self.doubtful = False
        # Whether the disk was full, and the log has been kept short since.
        self.tight = False

    def write(self, connection: sqlite3.Connection, writes: Sequence[Write]) -> list[Any]:
        """A result or an exception for each; what is a result is on the disk."""
        try:
            return self._commit(connection, writes)
        except Exception as error:  # noqa: BLE001  it is the caller's, and told to the caller
            if engine.is_disk_fault(error):
                self.doubt(connection, error)
                return [error] * len(writes)
            if len(writes) == 1:
                return [self._squeezed(connection, writes[0], error)]
        # One of them spoilt it for all; each alone, only that one fails.
        return [result for write in writes for result in self.write(connection, [write])]

    def doubt(self, connection: sqlite3.Connection, error: Exception) -> None:
        """Where the disk did not write what it was told to, mend the log, now or before the next write."""
        if not engine.is_disk_fault(error) or engine.is_read_fault(error):
            return
        self.doubtful = True
        self.try_again(connection)

    def try_again(self, connection: sqlite3.Connection) -> None:
        """Mend the log where the disk works again; where it does not, the next transaction tries it, too."""
        with contextlib.suppress(sqlite3.Error, StoreError):
            if self.doubtful:
                self._mend(connection)

    def _mend(self, connection: sqlite3.Connection) -> None:
        _undo(connection)
        if _stands_still(connection):
            raise StoreError("the log cannot be written back while a backup is made")
        # Only what is committed is written back; what failed is gone with the log.
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError("the log cannot be written back")
        engine.begin_log(connection)
        self.doubtful = False

    def _commit(self, connection: sqlite3.Connection, writes: Sequence[Write]) -> list[Any]:
        _undo(connection)
        if self.doubtful:
            self._mend(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = list(writes[0].bulk(connection, [write.job for write in writes]))
            connection.execute("COMMIT")
        except BaseException:
            _undo(connection)
            raise
        return results

    def relax(self, connection: sqlite3.Connection) -> None:
        """There is room again for a log of the usual length."""
        if not _stands_still(connection):
            connection.execute(f"PRAGMA wal_autocheckpoint = {USUAL_LOG}").fetchone()
        self.tight = False

    def _keep_short(self, connection: sqlite3.Connection) -> None:
        if not _stands_still(connection):
            connection.execute(f"PRAGMA wal_autocheckpoint = {SHORT_LOG}").fetchone()
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            self.tight = True

    def _squeezed(self, connection: sqlite3.Connection, write: Write, error: Exception) -> Any:
        """The result of a job that failed alone; where the disk is full and the job is vital, by the room
        that the log takes, and then by the reserve.

        From then on the log is written back at once. It would take all the room that was made, until there
        is none left to write it back to.
        """
        for gain in (_nothing, self._make_room):
            if not (write.vital and engine.is_full(error) and gain()):
                break
            try:
                # What is written back makes place in the log for what comes next.
                self._keep_short(connection)
                return self._commit(connection, [write])[0]
            except Exception as again:  # noqa: BLE001  it is the caller's, and told to the caller
                error = again
        self.doubt(connection, error)
        return error


def _stands_still(connection: sqlite3.Connection) -> bool:
    """Whether somebody copies the file (backup.py), into which nothing may be written meanwhile."""
    (pages,) = connection.execute("PRAGMA wal_autocheckpoint").fetchone()
    return int(pages) <= 0


def _nothing() -> bool:
    return True


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
