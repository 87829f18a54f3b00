"""The lease of one guard on what it has in hand: renewed by the clock of the database, and never twice.

Whatever a guard claims belongs to its lease. When a lease is over, the others take over what belongs to it,
and from then on nothing of it may be begun any more: `until` tells by this machine's own clock, and errs to
the early side. A lease that is over is not renewed; the guard goes on with a new one.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.edge.store.postgres.database import SharedDatabase

Connection = AsyncConnection[tuple[Any, ...]]

LEASE = timedelta(seconds=15)
# So many renewals may fail before it is over.
RENEWALS = 5
# Two clocks that both go right may differ by so much over the time of a lease; and what was decided while the
# lease was good needs a moment.
SLACK = timedelta(seconds=2)
# Of guards that are gone: long enough to be seen in the list of nodes.
_FORGET = "DELETE FROM node WHERE lease_until < clock_timestamp() - interval '1 hour'"
_BEGIN = """
    INSERT INTO node (id, name, since, length, lease_until, rules)
    SELECT %(id)s, %(name)s, coalesce(%(since)s, now), %(length)s, now + %(length)s, %(rules)s
    FROM clock_timestamp() AS now
    RETURNING since
"""
_RENEW = """
    UPDATE node SET lease_until = clock_timestamp() + %s, rules = %s
    WHERE id = %s AND lease_until > clock_timestamp()
"""


class Lease:
    """`name` is what the guard is called in the list of nodes; `rules` gives what its rules come to."""

    def __init__(
        self,
        database: SharedDatabase,
        *,
        name: str,
        length: timedelta = LEASE,
        rules: Callable[[], str] = str,
    ) -> None:
        self._database = database
        self._name = name
        self._length = length
        self._rules = rules
        self._id = ""
        self._until = 0.0
        self._since: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()

    @property
    def until(self) -> float:
        """Until when (time.monotonic) nobody else takes over what this guard has in hand."""
        return self._until

    @property
    def id(self) -> str:
        """The lease that holds now; what was claimed under another one is not this guard's any more."""
        return self._id

    @property
    def rules(self) -> str:
        """What this guard's rules come to."""
        return self._rules()

    async def owner(self) -> str:
        """Under which id to claim; the first call begins the lease. Raises StoreError."""
        async with self._beginning:
            if not self._id or time.monotonic() >= self._until:
                await self._begin()
            if self._task is None:
                self._task = asyncio.create_task(self._keep(), name="lease")
        return self._id

    def lost(self) -> None:
        """The others may have what was in hand; the next claim begins anew."""
        if self._until:
            self._database.log.trouble("lease_lost", node=self._id)
        self._until = 0.0

    async def end(self) -> None:
        """This guard has nothing in hand any more, or leaves what it has to the others."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._id:
            with contextlib.suppress(StoreError):
                await self._database.read(_ended, self._id)
        self._until = 0.0

    async def _begin(self) -> None:
        asked, made = time.monotonic(), secrets.token_hex(8)
        values = {
            "id": made,
            "name": self._name,
            "since": self._since,
            "length": self._length,
            "rules": self._rules(),
        }
        self._since = await self._database.read(_begun, values)
        self._id, self._until = made, asked + self._good_for()

    def _good_for(self) -> float:
        return max(0.0, (self._length - SLACK).total_seconds())

    async def _keep(self) -> None:
        pause = self._length.total_seconds() / RENEWALS
        while True:
            await asyncio.sleep(pause)
            with contextlib.suppress(StoreError):
                await self._renew()

    async def _renew(self) -> None:
        asked, held = time.monotonic(), self._id
        renewed = await self._database.read(_renewed, (self._length, self._rules(), held))
        if held != self._id:
            return
        if renewed:
            self._until = asked + self._good_for()
        else:
            self.lost()


async def _begun(connection: Connection, values: Mapping[str, object]) -> datetime | None:
    """Since when the guard runs."""
    await connection.execute(_FORGET)
    row = await (await connection.execute(_BEGIN, values)).fetchone()
    return row[0] if row else None


async def _renewed(connection: Connection, values: tuple[object, ...]) -> bool:
    return (await connection.execute(_RENEW, values)).rowcount > 0


async def _ended(connection: Connection, node: str) -> None:
    await connection.execute("DELETE FROM node WHERE id = %s", (node,))
