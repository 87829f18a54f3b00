"""Tells the other guards of a queue that something has changed, and hears it from them (LISTEN, NOTIFY).

Only so that they need not wait for their next look, which comes within a few seconds anyway: what is lost
here is lost to nobody. A notice is sent by itself, a few times a second at most: in the transactions of the
messages it would make all commits wait for one another.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.core.hold import HeldMessage
from mailguard.edge.store import rows
from mailguard.edge.store.postgres.database import KEEPALIVE, SharedDatabase

Connection = AsyncConnection[tuple[Any, ...]]

CHANNEL = "mailguard"
# How long changes are gathered, and how long after a fault it is tried again.
GATHER = 0.25
PAUSE = 2.0


class Wakeups:
    """One for each guard. `elsewhere` is called when another one has changed something."""

    def __init__(self, database: SharedDatabase, *, elsewhere: Callable[[], None]) -> None:
        self._database = database
        self._elsewhere = elsewhere
        self._name = secrets.token_hex(8)
        self._due: datetime | None = None
        self._telling: asyncio.Task[None] | None = None

    def happened(self, message: HeldMessage) -> None:
        """A message is new, or another than before, by this guard's doing."""
        due = rows.next_due(message)
        if due is not None:
            self._due = due if self._due is None else min(self._due, due)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def run(self, wake: Callable[[datetime], None]) -> None:
        """Listen until cancelled; `wake` hears when something is due."""
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                await self._listen(wake)
            await asyncio.sleep(PAUSE)

    async def close(self) -> None:
        """Tell what is still to be told."""
        if self._telling is not None:
            await asyncio.wait({self._telling})

    async def _tell(self) -> None:
        await asyncio.sleep(GATHER)
        due, self._due, self._telling = self._due, None, None
        with contextlib.suppress(StoreError):
            notice = f"{self._name} {'' if due is None else rows.time(due)}"
            await self._database.read(_notify, notice)

    async def _listen(self, wake: Callable[[datetime], None]) -> None:
        async with await AsyncConnection.connect(self._database.url, autocommit=True, **KEEPALIVE) as heard:
            await heard.execute(f"LISTEN {CHANNEL}")
            async for notice in heard.notifies():
                name, _, due = notice.payload.partition(" ")
                if name != self._name:
                    self._elsewhere()
                    if due:
                        wake(rows.moment(due))


async def _notify(connection: Connection, notice: str) -> None:
    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, notice))
