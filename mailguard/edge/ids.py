"""Fresh message ids from the system's randomness, fetched for many at a time: asking costs a system call."""

import os

from mailguard.core.identity import from_random

BYTES = 8
AT_ONCE = 512


class RandomIds:
    """Each call gives an id that nobody can guess."""

    def __init__(self) -> None:
        self._pool = b""
        self._next = 0

    def __call__(self) -> str:
        """A fresh id."""
        if self._next >= len(self._pool):
            self._pool, self._next = os.urandom(BYTES * AT_ONCE), 0
        taken = self._pool[self._next : self._next + BYTES]
        self._next += BYTES
        return from_random(taken)
