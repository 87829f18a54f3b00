"""What the guards of one queue have in common, and whether they do: the key, the time, the database."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.core.states import MessageState
from mailguard.edge.store.postgres import forgetting
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.ports import Still

Connection = AsyncConnection[tuple[Any, ...]]

# Of so many looks at the database's clock the quickest counts; a slower one than this says too little.
LOOKS = 3
SLOWEST_LOOK = 0.25


async def agreed_key(connection: Connection, offered: bytes) -> bytes:
    """The key of this queue; the first guard's offer is it."""
    asked = await connection.execute(
        "UPDATE installation SET key = coalesce(key, %b) RETURNING key", (offered,), binary=True
    )
    row = await asked.fetchone()
    if row is None:
        raise StoreError("the database has lost the one row of its table installation; restore it")
    return bytes(row[0])


class DatabaseTime:
    """The database's clock, read from here: `elapsed` gives seconds that go by, and the distance between
    the two is measured anew every few seconds."""

    def __init__(self, database: SharedDatabase, *, elapsed: Callable[[], float]) -> None:
        self._database = database
        self._elapsed = elapsed
        self._distance = 0.0

    def now(self) -> float:
        """Seconds since 1970, by the database's clock."""
        return self._elapsed() + self._distance

    async def measure(self) -> None:
        """Look at the database's clock. Raises StoreError."""
        looks = [await self._look() for _ in range(LOOKS)]
        self._distance = min(looks)[1]

    async def look(self, next_due: datetime | None) -> None:
        """The same every few seconds; where the database is far away just now, the old distance stays."""
        try:
            took, distance = await self._look()
        except StoreError:
            return
        if took <= SLOWEST_LOOK:
            self._distance = distance

    def told(self) -> None:
        """Nothing: Steps tells of a clock that was set."""

    def refuses(self) -> bool:
        """Never: mail is taken all the same."""
        return False

    async def _look(self) -> tuple[float, float]:
        before = self._elapsed()
        theirs = await self._database.read(_clock)
        took = self._elapsed() - before
        # It was read somewhere between the question and the answer.
        return took, theirs - (before + took / 2)


async def _clock(connection: Connection) -> float:
    asked = await connection.execute("SELECT extract(epoch FROM clock_timestamp())::double precision")
    row = await asked.fetchone()
    return float(row[0]) if row else time.time()


class Health:
    """Watches the database itself, and keeps its counts short."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._unknown = 0
        self._unsafe = False

    async def look(self, next_due: datetime | None) -> None:
        """Every few seconds."""
        try:
            await self._database.read(forgetting.add_up)
            self._unknown = await self._database.read(_unknown_states)
            self._unsafe = await self._database.read(_does_not_sync)
        except StoreError:
            return

    def told(self) -> str | None:
        """What is wrong with it; None where all is well."""
        if lost := self._database.told():
            return lost
        if self._unsafe:
            return (
                f"the database {self._database.where} runs with fsync = off: a loss of power can lose mail"
                " that was acknowledged; set it to on"
            )
        if self._unknown:
            return (
                f"{self._unknown} messages in {self._database.where} have a state that this version does not"
                " know, and stay where they are; install the newer mailguard that wrote them"
            )
        return None

    def refuses(self) -> bool:
        """Whether it is not to be reached."""
        return bool(self._database.told())


async def _unknown_states(connection: Connection) -> int:
    asked = await connection.execute(
        "SELECT coalesce(sum(messages), 0)::bigint FROM tally WHERE state <> ALL (%s)",
        ([state.value for state in MessageState],),
    )
    row = await asked.fetchone()
    return int(row[0]) if row else 0


async def _does_not_sync(connection: Connection) -> bool:
    row = await (await connection.execute("SHOW fsync")).fetchone()
    return row is not None and row[0] == "off"


class NoBackup:
    """ports.Backup where the queue is no file: the database has means of its own."""

    async def begin(self) -> Still:
        """Never. Raises StoreError, which says what to do instead."""
        raise StoreError("this queue is in PostgreSQL; use pg_dump")

    async def renew(self, token: str) -> bool:
        """Nothing was begun."""
        return False

    async def end(self, token: str) -> bool:
        """Nothing was begun."""
        return False
