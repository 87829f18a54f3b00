"""The PostgreSQL database that several guards share: a bounded pool, and writes that are made together.

Writes of one kind that wait at the same time become one transaction, as on SQLite: one sync of the database's
disk serves them all. A caller that is cancelled stops waiting; the transaction goes on. Where the connection
breaks before the answer to a commit has come, the database is asked what became of it, by the number of the
transaction: nobody is told that something is stored, or is not, on a guess.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Concatenate, LiteralString, ParamSpec, Self, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool

from mailguard.core.errors import StoreError
from mailguard.edge.store.postgres import faults, migrating
from mailguard.edge.store.postgres.lanes import Bulk, Lane, Made
from mailguard.ports import Log

P = ParamSpec("P")
R = TypeVar("R")
J = TypeVar("J")

Connection = AsyncConnection[tuple[Any, ...]]

# Connections of one guard: its writes need a handful, the rest is for those who look.
MOST_CONNECTIONS = 8
# What weighs more is large: a second, perhaps, in which small ones go by.
LIGHT = 256 * 1024
# How long a connection is waited for, and one transaction or question.
CONNECT_SECONDS = 5.0
WITHIN_SECONDS = 20.0
STATEMENT_SECONDS = 15
# How long another guard is waited for that recovers.
ALONE_SECONDS = 60
# How long it is tried to learn what became of a commit.
RESOLVE_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

# Another one after every start of the server; its statistics begin anew after every crash.
_LIFE: LiteralString = "concat(pg_postmaster_start_time(), ' ', pg_stat_get_bgwriter_stat_reset_time())"
UNKNOWN = "unknown"

# A server that is set to answer before the disk has it must not do so for mail; more than that it may do.
_SETTINGS = f"""
    SET application_name = 'mailguard';
    SET statement_timeout = '{STATEMENT_SECONDS}s';
    SET lock_timeout = '{STATEMENT_SECONDS - 5}s';
    SET idle_in_transaction_session_timeout = '{int(WITHIN_SECONDS) + 10}s';
    SET timezone = 'UTC';
    SET client_min_messages = 'warning';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
"""
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": int(CONNECT_SECONDS),
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    # Milliseconds: a server that is cut off must not keep a transaction waiting for minutes.
    "tcp_user_timeout": 10_000,
}


class SharedDatabase:
    """The open database. Make one with `open`; `close` must be called, also after a failure."""

    def __init__(self, pool: AsyncConnectionPool[Connection], url: str, log: Log) -> None:
        self.url = url
        self.where = faults.shown(url)
        self.log = log
        self._pool = pool
        self._lanes: dict[object, Lane] = {}
        self._closing = False
        self._lost = False

    @classmethod
    async def open(cls, url: str, *, log: Log) -> Self:
        """Connect, and bring the schema to what this mailguard knows. Raises StoreError, UnknownSchema."""
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=CONNECT_SECONDS,
            reconnect_timeout=LONGEST_PAUSE,
            kwargs={"autocommit": True, **KEEPALIVE},
            configure=_configure,
            open=False,
        )
        database = cls(pool, url, log)
        try:
            # Said in words before the pool tries again and again.
            async with asyncio.timeout(WITHIN_SECONDS):
                await _knock(url, database.where)
                await pool.open(wait=True, timeout=CONNECT_SECONDS)
        except BaseException as error:
            await pool.close()
            if isinstance(error, Exception):
                raise faults.translated(error, database.where) from error
            raise
        return database

    async def read(
        self, query: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """What `query` finds; what it sees is committed."""
        return await self._told(self._asked(query, *args, **kwargs))

    async def look_up(self, bulk: Bulk[J, R], job: J) -> R:
        """What `bulk` finds for the job; what it sees is committed. Where many ask at the same time, it is
        handed their jobs together."""
        return await self._put(bulk, partial(self._found, bulk), job, 0)

    async def write(self, bulk: Bulk[J, R], job: J, *, weight: int = 0) -> R:
        """What `bulk` makes of the job, once it is committed; `weight` is roughly its size in bytes.

        Jobs of the same `bulk` that wait at the same time are handed to it together, large ones (LIGHT) apart
        from the others. A job that was put in is done, even where its caller is cancelled.
        """
        return await self._put(bulk, partial(self._made, bulk), job, weight)

    @contextlib.asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        """No other guard is in here at the same time with the same `what`. Raises StoreError."""
        try:
            # Of its own, because the lock is the connection's and may be waited for.
            async with await AsyncConnection.connect(self.url, autocommit=True, **KEEPALIVE) as connection:
                # A guard that hangs in there must not keep the others from starting for ever.
                await connection.execute(f"SET statement_timeout = '{ALONE_SECONDS}s'")
                await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (what,))
                yield
        except psycopg.Error as error:
            raise faults.translated(error, self.where) from error

    def told(self) -> str | None:
        """Why nothing can be stored at this moment; None where it can."""
        if self._lost:
            return f"the database {self.where} does not answer, and nothing can be stored; look after it"
        return None

    async def close(self) -> None:
        """Finish what was asked for, then let the connections go. A second call does nothing."""
        self._closing = True
        await asyncio.gather(*(lane.finish() for lane in self._lanes.values()))
        await self._pool.close()

    async def _put(self, bulk: Bulk[J, R], made: Made, job: J, weight: int) -> R:
        if self._closing:
            raise StoreError(f"the store {self.where} is closed")
        key = bulk, weight > LIGHT
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(made, self.where)
        result: R = await lane.put(job, weight)
        return result

    # ------------------------------------------------------------------ one question

    async def _found(self, bulk: Bulk[Any, Any], jobs: Sequence[Any]) -> Sequence[Any]:
        try:
            return await self.read(bulk, jobs)
        except Exception as error:  # noqa: BLE001  it is the callers', and told to them
            return [error] * len(jobs)

    async def _asked(
        self, query: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        if self._closing:
            raise StoreError(f"the store {self.where} is closed")
        for last in (False, True):
            try:
                async with asyncio.timeout(WITHIN_SECONDS), self._pool.connection() as connection:
                    return await query(connection, *args, **kwargs)
            except psycopg.Error as error:
                if last or not faults.is_lost(error):
                    raise
                # After a restart of the server every connection of the pool is a dead one.
                await self._pool.check()
        raise AssertionError("not reached")

    async def _told(self, asked: Awaitable[R]) -> R:
        try:
            result = await asked
        except Exception as error:
            raise self._translated(error) from error
        self._lost = False
        return result

    def _translated(self, error: Exception) -> Exception:
        if faults.is_lost(error) and not self._closing:
            if not self._lost:
                self.log.trouble("database_lost", database=self.where, fault=type(error).__name__)
            self._lost = True
        told = faults.translated(error, self.where)
        if type(told) is StoreError and not faults.is_lost(error) and told is not error:
            self.log.trouble("store_fault", database=self.where, fault=str(told))
        return told

    # ------------------------------------------------------------------ one transaction

    async def _made(self, bulk: Bulk[Any, Any], jobs: Sequence[Any]) -> Sequence[Any]:
        """A result or an exception for each; what is a result is committed."""
        for last in (False, True):
            try:
                results = await self._transaction(bulk, jobs)
            except Exception as error:  # noqa: BLE001  it is the caller's, and told to the caller
                if not last and (faults.is_transient(error) or faults.is_lost(error)):
                    await self._recheck()
                    continue
                # What nobody can tell of must not be done once more.
                if len(jobs) == 1 or faults.is_lost(error) or isinstance(error, StoreError):
                    return [self._translated(error)] * len(jobs)
                break
            self._lost = False
            return results
        # One of them spoilt it for all; each alone, only that one fails.
        return [result for job in jobs for result in await self._made(bulk, [job])]

    async def _recheck(self) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._pool.check()

    async def _transaction(self, bulk: Bulk[Any, Any], jobs: Sequence[Any]) -> Sequence[Any]:
        number, life, committing = "", "", False
        results: Sequence[Any] = ()
        try:
            async with asyncio.timeout(WITHIN_SECONDS), self._pool.connection() as connection:
                try:
                    # What nobody asks an answer of waits for the next statement that is asked one, and goes
                    # there with it: the beginning with the first question, the changes with the COMMIT.
                    async with connection.pipeline():
                        begun = await _begin(connection)
                        results = await bulk(connection, jobs)
                        number, life = await _begun(begun)
                        committing = True
                        await connection.execute("COMMIT")
                except BaseException:
                    # Where the connection still lives. The pool takes no open transaction back.
                    with contextlib.suppress(Exception):
                        await connection.rollback()
                    raise
        except Exception as error:
            # What was never told to commit has not.
            if committing and faults.is_lost(error) and await self._committed(number, life):
                return results
            raise
        return results

    async def _committed(self, number: str, life: str) -> bool:
        """What became of a transaction whose connection broke. Raises StoreError where nobody can tell."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + RESOLVE_SECONDS, FIRST_PAUSE
        while loop.time() < deadline:
            with contextlib.suppress(*faults.LOST):
                async with asyncio.timeout(CONNECT_SECONDS), self._pool.connection() as connection:
                    status = await _status(connection, number, life)
                    if status == UNKNOWN:
                        break
                    if status != "in progress":
                        self.log.event("commit_looked_up", database=self.where, status=status)
                        return bool(status == "committed")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise StoreError(
            f"the connection to {self.where} broke in the middle of this, and nobody can tell yet whether it"
            " was done; look, and try again"
        )


async def _begin(connection: Connection) -> AsyncCursor[tuple[Any, ...]]:
    """Begin a transaction; who it is will be in what is given back."""
    await connection.execute("BEGIN")
    return await connection.execute(f"SELECT pg_current_xact_id()::text, {_LIFE}")


async def _begun(asked: AsyncCursor[tuple[Any, ...]]) -> tuple[str, str]:
    """The number of a transaction, and the life of the server that gave it."""
    number, life = await asked.fetchone() or ("", "")
    return str(number), str(life)


async def _status(connection: Connection, number: str, life: str) -> str:
    """What the server says of a transaction: committed, aborted, in progress, or UNKNOWN."""
    # A fresh number tells which were given before it: the snapshot ends at the last one that is over, and one
    # that is still being committed may be behind that. What was never given was lost with its server.
    found = await connection.execute(
        f"""
        SELECT CASE WHEN %(number)s::xid8 < pg_current_xact_id()
            THEN pg_xact_status(%(number)s::xid8) ELSE 'aborted' END, {_LIFE}
        """,
        {"number": number},
    )
    status, now = await found.fetchone() or ("", "")
    # Numbers that a crash has lost are given once more, and what came of the second one says nothing.
    return UNKNOWN if status == "committed" and now != life else str(status)


async def _configure(connection: Connection) -> None:
    await connection.execute(_SETTINGS)


async def _knock(url: str, where: str) -> None:
    async with await AsyncConnection.connect(url, autocommit=True, **KEEPALIVE) as connection:
        await _configure(connection)
        await migrating.upgrade(connection, where)
