"""One guard for one state directory: a lock that lasts as long as the process, whatever ends it."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from mailguard.core.errors import StoreError, StoreLocked

LOCK_FILE = "guard.lock"
# Seconds that a process may outlive its guard.
LAST_BREATH = 5.0


class StateLock:
    """Holds `guard.lock` in a state directory. The kernel lets it go when the process ends, so a crash
    leaves nothing to clean up; the file itself stays, because removing it would let two guards in."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, state_dir: Path) -> Self:
        """Lock the directory for this process, making it (mode 0700) where it is missing.

        Raises StoreLocked where another process has it, StoreError where it cannot be used.
        """
        path = state_dir / LOCK_FILE
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot use the state directory {state_dir}: {error.strerror}; it must be a directory that"
                " this user may write to (state_dir in mailguard.toml)"
            ) from error
        try:
            _lock(descriptor)
            # For the reader of the error message below, in the process that comes second.
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except BlockingIOError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            who = f"process {holder}" if holder else "another process"
            raise StoreLocked(
                f"another mailguard ({who}) has {state_dir} open; stop that one first, or give this one a"
                " state_dir of its own"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StoreError(f"cannot lock {path}: {error.strerror}") from error
        return cls(descriptor)

    def release(self) -> None:
        """Let the directory go; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _lock(descriptor: int) -> None:
    """Raises BlockingIOError where somebody else has it, and will go on having it.

    A guard whose SMTP has a process of its own is one guard: where the other process was killed, this one may
    need a moment to end, and the lock is there until nothing can leave through it any more.
    """
    until = time.monotonic() + LAST_BREATH
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if _runs(_holder(descriptor)) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _holder(descriptor: int) -> int:
    """The process that wrote its number there; 0 where none did."""
    written = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    return int(written) if written.isascii() and written.isdigit() else 0


def _runs(process: int) -> bool:
    if not process:
        # Nobody has written who it is, so nobody can tell.
        return True
    try:
        # Signal 0 is none.
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
