"""The store, opened: SQLite for one guard, or PostgreSQL for several that share one queue."""

import asyncio
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mailguard.app.outward import notifying_of
from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.hold import HeldMessage
from mailguard.core.value import dataclass
from mailguard.edge import secret
from mailguard.edge.clock import SystemClock, elapsed
from mailguard.edge.config import RulesFile, Settings
from mailguard.edge.disk import Room
from mailguard.edge.store import (
    Database,
    SqliteMemory,
    SqliteOutbox,
    SqlitePreferences,
    SqliteRecords,
    SqliteSessions,
    SqliteStore,
    SqliteTokens,
    Standstill,
    check_log,
)
from mailguard.flow.changes import Changes
from mailguard.flow.notifying import Notifying
from mailguard.ports import (
    Backup,
    Holding,
    Log,
    Memory,
    Preferences,
    Records,
    Store,
    Watched,
)
from mailguard.ports.access import Sessions, Tokens

if TYPE_CHECKING:
    from mailguard.edge.store.postgres import DatabaseTime, SharedDatabase

Wake = Callable[[datetime], None]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An open store, with all that is kept in it, and who watches it change.

    `beside` are to run as long as the guard does, and are told how to wake its timer. `holding` tells how
    long what is in hand is this guard's; None where there is no other guard. Within `alone` no other guard
    looks after what an earlier one has left behind.
    """

    store: Store
    memory: Memory
    records: Records
    preferences: Preferences
    sessions: Sessions
    tokens: Tokens
    backup: Backup
    changes: Changes
    notifying: Notifying
    watched: Sequence[Watched]
    beside: Sequence[Callable[[Wake], Awaitable[None]]] = ()
    holding: Holding | None = None
    alone: Callable[[], AbstractAsyncContextManager[None]] = nullcontext


@asynccontextmanager
async def opened_store(
    settings: Settings, clock: SystemClock, rules: RulesFile, log: Log
) -> AsyncIterator[Kept]:
    """What the settings name. Raises StoreError, UnknownSchema, ConfigurationError."""
    path = settings.database
    async with (
        _postgres(settings, clock, rules, log) if path is None else _sqlite(settings, path, clock, log)
    ) as kept:
        yield kept


@asynccontextmanager
async def _sqlite(settings: Settings, path: Path, clock: SystemClock, log: Log) -> AsyncIterator[Kept]:
    check_log(path)
    room = Room(settings.state_dir, largest=settings.smtp.max_message_bytes, log=log)
    database = await Database.open(path, log=log, make_room=room.give_up, has_room=room.has_reserve)
    standstill, changes = Standstill(database, clock=clock), Changes()
    notifying = notifying_of(settings, SqliteOutbox(database), clock, log)
    try:
        yield Kept(
            store=SqliteStore(database, reserve=room.bound, changed=changes.happened, announcer=notifying),
            memory=SqliteMemory(database),
            records=SqliteRecords(database),
            preferences=SqlitePreferences(database),
            sessions=SqliteSessions(database),
            tokens=SqliteTokens(database),
            backup=standstill,
            changes=changes,
            notifying=notifying,
            watched=(room, database),
        )
    finally:
        await notifying.close()
        await standstill.close()
        await database.close()


@asynccontextmanager
async def _postgres(
    settings: Settings, clock: SystemClock, rules: RulesFile, log: Log
) -> AsyncIterator[Kept]:
    postgres = library()
    database = await postgres.SharedDatabase.open(settings.store.url.get_secret_value(), log=log)
    name = f"{platform.node()}:{os.getpid()}"
    lease = postgres.Lease(database, name=name, rules=lambda: rules.fingerprint)
    changes = Changes()
    notifying = notifying_of(settings, postgres.PostgresOutbox(database), clock, log)
    wakeups = postgres.Wakeups(database, elsewhere=changes.elsewhere)

    def changed(message: HeldMessage) -> None:
        changes.happened(message)
        wakeups.happened(message)

    store = postgres.PostgresStore(database, lease=lease, changed=changed, announcer=notifying)
    try:
        await _share_key(settings, database)
        time = await _share_time(clock, database)
        yield Kept(
            store=store,
            memory=postgres.PostgresMemory(database),
            records=postgres.PostgresRecords(database),
            preferences=postgres.PostgresPreferences(database),
            sessions=postgres.PostgresSessions(database),
            tokens=postgres.PostgresTokens(database),
            backup=postgres.NoBackup(),
            changes=changes,
            notifying=notifying,
            watched=(postgres.Health(database), time, postgres.Nodes(database, lease)),
            beside=(wakeups.run,),
            holding=store,
            alone=lambda: database.alone("mailguard recovers"),
        )
    finally:
        await notifying.close()
        await wakeups.close()
        await store.close()


def library() -> ModuleType:
    """The store of PostgreSQL. Raises ConfigurationError where it is not installed."""
    try:
        # An extra, which one guard on one machine does without.
        from mailguard.edge.store import postgres  # noqa: PLC0415
    except ImportError as error:
        problem = f"PostgreSQL needs more than is installed ({error.name})"
        expected = "pip install 'mailguard[postgres]'"
        fault = Fault(file="mailguard.toml", line=None, key="store.url", problem=problem, expected=expected)
        raise ConfigurationError((fault,)) from error
    return postgres


async def _share_time(clock: SystemClock, database: "SharedDatabase") -> "DatabaseTime":
    """What people are told, and when mail leaves, goes by the one clock that all guards share."""
    from mailguard.edge.store.postgres import DatabaseTime  # noqa: PLC0415

    time = DatabaseTime(database, elapsed=elapsed)
    await time.measure()
    clock.follow(time.now)
    return time


async def _share_key(settings: Settings, database: "SharedDatabase") -> None:
    """One key for all guards: digests and links of one are those of the others."""
    from mailguard.edge.store.postgres import agreed_key  # noqa: PLC0415

    directory = settings.state_dir
    offered = await asyncio.to_thread(secret.key_or_new, directory)
    agreed = await database.read(agreed_key, offered)
    await asyncio.to_thread(secret.adopt, directory, agreed, database.where)
