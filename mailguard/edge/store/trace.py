"""Tells whether the database that is opened is the one that was left: a note beside it, and its own pages.

SQLite makes a missing file anew and calls a log that is gone an empty one; with mail in them, both would be
a silent loss.
"""

import contextlib
import os
from pathlib import Path

from mailguard.core.errors import StoreError

SUFFIX = "-trace"
_TEXT = (
    "mailguard keeps mail in the file beside this one, and does not begin an empty one while this is here.\n"
)
_OPEN, _CLOSED = "open  \n", "closed\n"

CHUNK = 1024 * 1024
_LOG_HEADER, _FRAME_HEADER = 32, 24
# The header of a database (sqlite.org/fileformat2.html section 1.3): what it begins with, whether it has a
# log, and how many pages.
_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_MODE, _NO_LOG = slice(18, 20), b"\x01\x01"
_PAGES = slice(28, 32)
# SQLite never uses the page that begins here (sqlite.org/fileformat2.html, the lock-byte page).
_LOCK_BYTE = 1 << 30


class Trace:
    """The note beside one database. What cannot be noted (a full disk) stops nobody."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log = database.with_name(database.name + "-wal")
        self._note = database.with_name(database.name + SUFFIX)

    def check(self) -> None:
        """Before SQLite touches anything. Raises StoreError where what is there is not what was left."""
        database, log = self._database, self._log
        size, logged = _size(database), _size(log)
        state = self._state()
        what = "is missing" if size is None else "is empty"
        if not size and logged:
            raise StoreError(
                f"{database} {what}, but its log {log.name} is there. Nothing was changed. Bring the file"
                f" back from a backup; to give up the mail in it and begin anew, remove {log} as well"
            )
        if not size and state is not None:
            raise StoreError(
                f"{database} {what}, though mail was kept in it. Nothing was changed. Bring it back from a"
                f" backup; to give up that mail and begin anew, remove {self._note}"
            )
        header = _header(database)
        if state == _OPEN and logged is None and header[_MODE] != _NO_LOG:
            raise StoreError(
                f"{log} is missing, and the last guard did not end cleanly: the newest mail was in it."
                f" Nothing was changed. Bring it back; to go on with {database.name} as it is, remove"
                f" {self._note}"
            )
        if size and size < _HEADER:
            raise self._cut(f"it has {size} bytes")
        if header.startswith(_MAGIC):
            self._compare(int.from_bytes(header[_PAGES]))

    def opened(self) -> None:
        """The log is there and has something in it."""
        self._write(_OPEN)

    def closed(self) -> None:
        """From now on the log may be gone."""
        if self._state() == _OPEN:
            self._write(_CLOSED)

    def _state(self) -> str | None:
        try:
            text = self._note.read_text("utf-8")
        except OSError:
            return None
        return _OPEN if text.endswith(_OPEN) else _CLOSED

    def _write(self, state: str) -> None:
        with contextlib.suppress(OSError):
            descriptor = os.open(self._note, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                # Of a fixed length and in place, so that it needs no room and is never half there.
                os.pwrite(descriptor, (_TEXT + state).encode(), 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_directory(self._note.parent)

    def take_log(self, pages: int) -> None:
        """Hold the files against the `pages` that SQLite counts, and put the log as it was read on the disk.
        To be called while SQLite keeps everybody else out, before anything is written.

        After a sync that failed, a guard may have been killed before it could mend the log: what is read
        then is in memory and perhaps not on the disk, and only writing it once more will bring it there.

        Raises StoreError where pages are missing, OSError.
        """
        self._compare(pages)
        if _size(self._log):
            _rewrite(self._log)

    def _compare(self, pages: int) -> None:
        in_log, page = _logged(self._log)
        whole = (_size(self._database) or 0) // page
        missing = set(range(whole + 1, pages + 1)) - in_log - {_LOCK_BYTE // page + 1}
        # Without a note nothing was ever kept in it, and with less than a page nothing can be: a first start
        # that was cut off goes on.
        begun = not whole and self._state() is None
        if missing and not begun:
            raise self._cut(f"{len(missing)} of {pages} pages are missing")

    def _cut(self, how: str) -> StoreError:
        return StoreError(
            f"{self._database} is damaged: it is cut short, {how}. Nothing was changed. Keep a copy of it and"
            " of what is beside it, and restore a backup"
        )


def sync_directory(directory: Path) -> None:
    """Names of files that were made or removed survive a loss of power. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _header(database: Path) -> bytes:
    try:
        with database.open("rb") as file:
            return file.read(_HEADER).ljust(_HEADER, b"\0")
    except FileNotFoundError:
        return bytes(_HEADER)


def _logged(log: Path) -> tuple[set[int], int]:
    """The pages that a log has, and how large they are."""
    pages: set[int] = set()
    page = 4096
    with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
        header = file.read(_LOG_HEADER)
        page = int.from_bytes(header[8:12]) or page
        # The rest of a frame that is older than the log's beginning is of no account.
        while (frame := file.read(_FRAME_HEADER)) and frame[8:16] == header[16:24]:
            pages.add(int.from_bytes(frame[:4]))
            file.seek(page, os.SEEK_CUR)
    return pages, page


def _rewrite(log: Path) -> None:
    descriptor = os.open(log, os.O_RDWR)
    try:
        offset = 0
        while chunk := os.pread(descriptor, CHUNK, offset):
            offset += os.pwrite(descriptor, chunk, offset)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
