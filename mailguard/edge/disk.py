"""Watches the room on the state directory's disk: new mail stops well before it is full, and a reserve file
is given up when it is full all the same, so that what is held can still be cancelled, sent, and written down.

SQLite needs room even to delete, because every change goes into its log first. To forget the bytes of a
message it writes as many bytes of nothing into the log, so the reserve is as large as the largest message.
"""

import asyncio
import contextlib
import os
import threading
import time
from datetime import datetime
from pathlib import Path

from mailguard.ports import Log

RESERVE = "reserve"
MIB = 1024 * 1024
# What the log, the rows of a message and its history want besides its bytes.
OVERHEAD = 8 * MIB
SMALLEST = 1 * MIB
# Of a small disk, the reserve and the bound may each take this part.
PART = 8

# While there is too little room, somebody is told again and again.
REMIND_SECONDS = 600.0


class Room:
    """The room on the disk of `directory`, where messages of up to `largest` bytes are kept.

    `bound` is how many bytes must stay free when a new message is taken; `reserve` how many are in the file
    that is given up.
    """

    def __init__(self, directory: Path, *, largest: int, log: Log) -> None:
        self._directory = directory
        self._file = directory / RESERVE
        self._log = log
        self._lock = threading.Lock()
        self._told_at: float | None = None
        status = os.statvfs(directory)
        part = max(SMALLEST, status.f_blocks * status.f_frsize // PART)
        self.reserve = min(largest + OVERHEAD, part)
        self.bound = min(largest * 3 // 2 + OVERHEAD, part)

    @property
    def free(self) -> int:
        """Bytes that are free now. Raises OSError."""
        status = os.statvfs(self._directory)
        return status.f_bavail * status.f_frsize

    def told(self) -> str | None:
        """Why new mail is refused, and what to do; None where there is room for it."""
        try:
            free = self.free
        except OSError as error:
            return f"{self._directory} cannot be looked at: {error.strerror}"
        if free >= self.bound:
            return None
        return (
            f"the disk of {self._directory} is nearly full: {free / MIB:.1f} MiB are free, and new mail is"
            f" taken again when there are {self.bound / MIB:.1f} MiB; make room there"
        )

    def refuses(self) -> bool:
        """Whether there is too little room for new mail."""
        return self.told() is not None

    def give_up(self) -> bool:
        """Free the reserve; whether there was one. May be called in any thread."""
        with self._lock:
            try:
                self._file.unlink()
            except OSError:
                return False
        self._log.trouble("disk_reserve_used", file=str(self._file), bytes=self.reserve)
        return True

    def has_reserve(self) -> bool:
        """Whether there is something to give up."""
        return self._file.exists()

    def keep(self) -> bool:
        """Make the reserve where it is missing and there is more than enough room; whether it is there."""
        with self._lock:
            try:
                if self._file.exists() and self._file.stat().st_size >= self.reserve:
                    return True
                if self.free < self.reserve + self.bound:
                    return False
                _allocate(self._file, self.reserve)
            except OSError:
                # Somebody else took the room meanwhile.
                with contextlib.suppress(OSError):
                    self._file.unlink()
                return False
        self._log.event("disk_reserve_made", file=str(self._file), bytes=self.reserve)
        return True

    async def look(self, next_due: datetime | None) -> None:
        """Tell the log when there is too little room and when there is enough again, and make the reserve
        anew."""
        await asyncio.to_thread(self.keep)
        shortage, now = self.told(), time.monotonic()
        if shortage is None:
            if self._told_at is not None:
                self._log.event("disk_has_room", directory=str(self._directory))
            self._told_at = None
        elif self._told_at is None or now - self._told_at >= REMIND_SECONDS:
            self._log.trouble("disk_nearly_full", reason=shortage)
            self._told_at = now


def _allocate(file: Path, size: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        # Not a hole: its blocks are taken from everybody else.
        os.posix_fallocate(descriptor, 0, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
