"""The SQLite file itself: how it is opened, and what its errors mean to a person."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from mailguard.core.errors import MailguardError, StoreError, StoreFull, StoreLocked
from mailguard.edge.store import migrate

# A program that looks into the file for a moment may end; one that stays has to be stopped.
BUSY_SECONDS = 1.0

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, set up for one connection that syncs every commit, with the newest schema.

    Raises sqlite3.Error and OSError as they come, UnknownSchema, StoreError.
    """
    _make_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
    try:
        _configure(connection, path)
        migrate.upgrade(connection, path, migrate.load("sqlite"), datetime.now(UTC))
        _sync_directory(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


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


def _sync_directory(directory: Path) -> None:
    # SQLite syncs the directory for its journals, but not for the database that it makes.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def translated(error: Exception, path: Path) -> Exception:
    """The error as a person should read it; every error is one of ours afterwards."""
    if isinstance(error, MailguardError):
        return error
    told = _told(error, path)
    told.__cause__ = error
    return told


def _told(error: Exception, path: Path) -> StoreError:
    if isinstance(error, OSError):
        return StoreError(f"cannot use {path}: {error.strerror}; this user must be able to read and write it")
    # The low byte is the kind of error; the rest says more of where it came from.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
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
