"""Room in memory for what is being received, shared out so that large messages wait and small ones do not.

A hundred people who send 25 MB at once over slow lines would need more memory than there is, if all came in
side by side. So whoever has sent SMALL asks for the room of the whole message, and is not read any further
until it is there: one after the other gets through, instead of none.
"""

from typing import Protocol

# What is smaller never waits.
SMALL = 256 * 1024
# The share of the room that large messages may have; the rest is for small ones.
LARGE_SHARE = 3 / 4


class Upload(Protocol):
    """Somebody who waits for room."""

    def go_on(self) -> None:
        """There is room now."""


class Budget:
    """`room` is in bytes, for all messages together."""

    def __init__(self, room: int) -> None:
        self._room = int(room * LARGE_SHARE)
        self._given: dict[Upload, int] = {}
        self._waiting: dict[Upload, int] = {}

    def ask(self, upload: Upload, size: int) -> bool:
        """Whether there is room for a message of this size; where there is none, it is told later."""
        if upload in self._given:
            return True
        if not self._waiting and self._fits(size):
            self._given[upload] = size
            return True
        self._waiting[upload] = size
        return False

    def give_back(self, upload: Upload) -> None:
        """It needs no room any more, or waits no longer; to say it twice does no harm."""
        self._waiting.pop(upload, None)
        self._given.pop(upload, None)
        while self._waiting and self._fits(next(iter(self._waiting.values()))):
            following = next(iter(self._waiting))
            self._given[following] = self._waiting.pop(following)
            following.go_on()

    def _fits(self, size: int) -> bool:
        # One that is larger than all the room would wait for ever.
        return not self._given or sum(self._given.values()) + size <= self._room
