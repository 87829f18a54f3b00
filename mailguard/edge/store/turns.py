"""Whose turn it is to leave where more is due than can be taken in hand: oldest first, each sender in turn.

Ten thousand that one program has sent must not keep back the one mail of somebody else that fell due a moment
after them. To put all that is due into such an order at every claim would cost more than the claim, so the
order is kept for a second.
"""

import json
import sqlite3
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from mailguard.edge.store import rows

# So many of the oldest are put in order: some ten milliseconds, in which nobody else can write.
WINDOW = 10_000
KEPT = timedelta(seconds=1)

_OLDEST = """
    SELECT json_group_array(json_array(next_due, n)) FROM (
        SELECT next_due, n FROM message INDEXED BY message_due
        WHERE next_due IS NOT NULL AND next_due <= ? ORDER BY next_due, n LIMIT ? OFFSET ?
    )
"""
_IN_TURN = """
    SELECT json_group_array(json_array(place, n)) FROM (
        SELECT row_number() OVER (ORDER BY turn, next_due, n) AS place, n FROM (
            SELECT row_number() OVER (PARTITION BY sender_key ORDER BY next_due, n) AS turn, next_due, n
            FROM (
                SELECT next_due, n, sender_key FROM message INDEXED BY message_due
                WHERE next_due IS NOT NULL AND next_due <= ? ORDER BY next_due, n LIMIT ?
            )
        )
    )
"""


class Order:
    """The numbers of messages in the order in which they leave, as long as it is worth something."""

    def __init__(self) -> None:
        self._numbers: deque[int] = deque()
        self._made: datetime | None = None

    def good(self, now: datetime, limit: int = 1) -> bool:
        """Whether there are at least so many in it, and it is fresh."""
        enough = len(self._numbers) >= limit
        return enough and self._made is not None and self._made <= now < self._made + KEPT

    def make(self, numbers: Iterable[int], now: datetime) -> None:
        """Begin anew with these."""
        self._numbers, self._made = deque(numbers), now

    def clear(self) -> None:
        """All that is due can be taken at once."""
        self._numbers.clear()

    def take(self, limit: int) -> list[int]:
        """The next ones, at most `limit`."""
        return [self._numbers.popleft() for _ in range(min(limit, len(self._numbers)))]


class Turns:
    """One for each connection."""

    def __init__(self) -> None:
        self._order = Order()

    def due(self, connection: sqlite3.Connection, now: datetime, limit: int, offset: int) -> list[int]:
        """At most `limit` messages (their numbers) that are due, after the `offset` that were given in this
        transaction already. Where there are many, some may not be due any more."""
        if self._order.good(now, limit):
            return self._order.take(limit)
        found = _numbers(connection, _OLDEST, (rows.time(now), limit + 1, offset))
        if len(found) <= limit:
            self._order.clear()
            return found
        if not self._order.good(now):
            self._order.make(_numbers(connection, _IN_TURN, (rows.time(now), WINDOW)), now)
        return self._order.take(limit)


def _numbers(connection: sqlite3.Connection, query: str, values: tuple[str | int, ...]) -> list[int]:
    (found,) = connection.execute(query, values).fetchone()
    return [number for _, number in sorted(json.loads(found))]
