"""The SQLite file itself: how it is opened, and what its errors mean to a person."""

import errno
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from mailguard.core.errors import MailguardError, StoreError, StoreFull, StoreLocked
from mailguard.edge.store import migrate, moved
from mailguard.edge.store.trace import Trace, sync_directory

# A program that looks into the file for a moment may end; one that stays has to be stopped.
BUSY_SECONDS = 1.0

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
_READING = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)
_INCREMENTAL = 2
# What `file` tells of the database: "mgrd".
_APPLICATION = 0x6D677264


class QueueFile(sqlite3.Connection):
    """A connection that leaves a trace of how it ended (trace.py)."""

    trace: Trace | None = None

    def close(self) -> None:
        """Write the log back and remove it."""
        # Noted before: a log that is gone must never look lost.
        if self.trace is not None:
            self.trace.closed()
        super().close()


def connect(path: Path, *, moved_too: bool = False) -> sqlite3.Connection:
    """Open the file, set up for one connection that syncs every commit, with the newest schema; one that was
    moved away only where it is asked for (`moved_too`).

    Raises sqlite3.Error and OSError as they come, UnknownSchema, StoreError.
    """
    trace = Trace(path)
    trace.check()
    if not moved_too:
        moved.check(path)
    _make_private(path)
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256, factory=QueueFile
    )
    try:
        _configure(connection, path)
        trace.take_log(connection.execute("PRAGMA page_count").fetchone()[0])
        migrate.upgrade(connection, path, migrate.load("sqlite"), datetime.now(UTC))
        _begin(connection, trace)
        sync_directory(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _begin(connection: QueueFile, trace: Trace) -> None:
    try:
        begin_log(connection)
    except sqlite3.Error as error:
        if not is_full(error):
            raise
        # A full disk must not keep people from what is held; the log begins with the first change.
        return
    trace.opened()
    connection.trace = trace


def begin_log(connection: sqlite3.Connection) -> None:
    """Commit something that changes nothing: from now on the log has something in it, on the disk."""
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")


def is_full(error: Exception) -> bool:
    """Whether there was no room on the disk."""
    return _kind(error) == sqlite3.SQLITE_FULL


def is_disk_fault(error: Exception) -> bool:
    """Whether the disk failed."""
    return _kind(error) == sqlite3.SQLITE_IOERR


def is_read_fault(error: Exception) -> bool:
    """Whether the disk failed to read: nothing that was written is in doubt."""
    return getattr(error, "sqlite_errorcode", 0) in _READING


def _kind(error: Exception) -> int:
    # The low byte is the kind of error; the rest says more of where it came from.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _make_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        # Not by opening it: closing any descriptor of the file would drop SQLite's locks on it.
        path.chmod(0o600)


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    # Exclusive before anything else is asked of the file: the index of the write-ahead log is then kept in
    # memory, and a second connection, which the log of SQLite before 3.51.3 does not survive, cannot be.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    # Only where it is not so yet: SQLite writes it down each time it is told, also into a file that turns
    # out to be none of ours.
    if connection.execute("PRAGMA auto_vacuum").fetchone() != (_INCREMENTAL,):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"the disk of {path} cannot hold a write-ahead log; put state_dir on a local disk")
    # FULL, because NORMAL does not sync the log at a commit, and 250 means on disk.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    # Bytes that are said to be gone are overwritten.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    # 32 MiB.
    connection.execute("PRAGMA cache_size = -32768")
    # One large transaction must not leave its size behind: 64 MiB.
    connection.execute("PRAGMA journal_size_limit = 67108864")


def translated(error: Exception, path: Path) -> Exception:
    """The error as a person should read it; every error is one of ours afterwards."""
    if isinstance(error, MailguardError):
        return error
    told = _told(error, path)
    told.__cause__ = error
    return told


def _told(error: Exception, path: Path) -> StoreError:
    if isinstance(error, OSError):
        hint = "; this user must be able to read and write it" if error.errno in _NOT_ALLOWED else ""
        return StoreError(f"cannot use {path}: {error.strerror}{hint}")
    kind = _kind(error)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if kind == sqlite3.SQLITE_FULL:
        return StoreFull(f"no room on the disk of {path}; make room there, the store goes on by itself")
    if kind in _IN_USE:
        return StoreLocked(
            f"another program has {path} open; end it, or give mailguard a state_dir of its own"
        )
    if kind in _DAMAGED:
        return StoreError(
            f"{path} is damaged ({name}): stop the guard, keep a copy of the file and of those beside it,"
            " run 'mailguard doctor', and restore a backup"
        )
    if kind in _NOT_WRITABLE:
        return StoreError(
            f"cannot write {path} ({name}): this user must be able to write to it and its directory"
        )
    if kind == sqlite3.SQLITE_IOERR:
        return StoreError(f"the disk of {path} failed ({name}); look into the system's log")
    return StoreError(f"{path}: the store could not do this ({name})")
