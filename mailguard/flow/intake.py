"""Puts a new message into the store, and answers in time whatever the store does.

A client that waits too long for the answer to its last dot hangs up and sends again: RFC 5321 section
4.5.3.2.6 asks it to wait for ten minutes, but Outlook waits for one, and people for less. A store that is
late is not interrupted: what it stores after all is the first of two then, and the client's second try is
answered with it (core/resubmission.py).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from mailguard.core.errors import StoreError
from mailguard.core.hold import HeldMessage, NewMessage
from mailguard.flow import in_time
from mailguard.ports import First, Log, Mark, Store

# So many bytes may wait for a store that is late; beyond, nothing more is given to it.
LATE_BYTES = 64 * 1024 * 1024


class Late(StoreError):
    """The store has not answered in time; what it was given it may store all the same."""


class Intake:
    """`wake` tells the timer of the next due time."""

    def __init__(self, *, store: Store, log: Log, wake: Callable[[datetime], None]) -> None:
        self._store = store
        self._log = log
        self._wake = wake
        self._late: set[asyncio.Task[First | None]] = set()
        self._late_bytes = 0

    async def put(self, new: NewMessage, mark: Mark | None, *, within: float) -> First | None:
        """Store it within so many seconds, or find the first of the two.

        Raises StoreFull, StoreError; Late where the time is over.
        """
        size = len(new.content)
        if self._late and self._late_bytes + size > LATE_BYTES:
            raise Late(f"{len(self._late)} messages wait for the store already")
        storing = asyncio.create_task(self._store.add(new, mark))
        if await in_time.ended(storing, within):
            return self._stored(new, storing)
        self._late.add(storing)
        self._late_bytes += size
        storing.add_done_callback(lambda task: self._stored_late(new, task))
        raise Late(f"message {new.message.id} waits for the store")

    def _stored(self, new: NewMessage, storing: "asyncio.Task[First | None]") -> First | None:
        first = storing.result()
        if first is None:
            for one in (new, *new.also):
                if one.message.due_at is not None:
                    self._wake(one.message.due_at)
        return first

    def _stored_late(self, new: NewMessage, storing: "asyncio.Task[First | None]") -> None:
        self._late.discard(storing)
        self._late_bytes -= len(new.content)
        if storing.cancelled():
            return
        try:
            first = self._stored(new, storing)
        except StoreError as error:
            self._log.trouble("not_stored", id=new.message.id, error=str(error))
            return
        if first is None:
            self._log.trouble("stored_late", **described(new.message))


def described(message: HeldMessage) -> dict[str, object]:
    """A new message in the operator's log."""
    return {
        "id": message.id,
        "state": message.state.value,
        "user": message.user,
        "sender": message.sender,
        "to": [recipient.address for recipient in message.recipients],
        "size": message.size,
        "release_at": message.release_at,
        "findings": [finding.check for finding in message.findings] or None,
    }
