"""Whose turn it is to leave (edge/store/turns.py) in a queue that several guards share.

Each guard has an order of its own; what another one has taken meanwhile is passed over when it is claimed.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.edge.store.turns import WINDOW, Order

Connection = AsyncConnection[tuple[Any, ...]]

_OLDEST = """
    SELECT n FROM message WHERE next_due IS NOT NULL AND next_due <= %s AND n <> ALL (%s::bigint[])
    ORDER BY next_due, n LIMIT %s
"""
_IN_TURN = """
    SELECT coalesce(array_agg(n ORDER BY turn, next_due, n), '{}') FROM (
        SELECT n, next_due, row_number() OVER (PARTITION BY sender_key ORDER BY next_due, n) AS turn FROM (
            SELECT n, next_due, sender_key FROM message WHERE next_due IS NOT NULL AND next_due <= %s
            ORDER BY next_due, n LIMIT %s
        ) AS oldest
    ) AS placed
"""


class Turns:
    """One for each guard."""

    def __init__(self) -> None:
        self._order = Order()

    async def due(
        self, connection: Connection, now: datetime, limit: int, passed: Collection[int]
    ) -> list[int]:
        """At most `limit` messages (their numbers) that are due, but for those that were `passed` in this
        transaction already. Where there are many, some may not be due any more."""
        if self._order.good(now, limit):
            return self._left(limit, passed)
        asked = await connection.execute(_OLDEST, (now, list(passed), limit + 1))
        found = [number for (number,) in await asked.fetchall()]
        if len(found) <= limit:
            self._order.clear()
            return found
        if not self._order.good(now):
            made = await connection.execute(_IN_TURN, (now, WINDOW), binary=True)
            row = await made.fetchone()
            self._order.make(row[0] if row else (), now)
        return self._left(limit, passed)

    def _left(self, limit: int, passed: Collection[int]) -> list[int]:
        return [number for number in self._order.take(limit) if number not in passed]
