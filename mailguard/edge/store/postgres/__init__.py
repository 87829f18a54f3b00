"""The store in a PostgreSQL database, which several guards share. Needs psycopg (mailguard[postgres])."""

from mailguard.edge.store.postgres.access import PostgresSessions, PostgresTokens
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.postgres.lease import Lease
from mailguard.edge.store.postgres.memory import PostgresMemory
from mailguard.edge.store.postgres.messages import PostgresStore
from mailguard.edge.store.postgres.nodes import Nodes
from mailguard.edge.store.postgres.outbox import PostgresOutbox
from mailguard.edge.store.postgres.preferences import PostgresPreferences
from mailguard.edge.store.postgres.records import PostgresRecords
from mailguard.edge.store.postgres.sharing import DatabaseTime, Health, NoBackup, agreed_key
from mailguard.edge.store.postgres.wakeups import Wakeups

__all__ = [
    "DatabaseTime",
    "Health",
    "Lease",
    "NoBackup",
    "Nodes",
    "PostgresMemory",
    "PostgresOutbox",
    "PostgresPreferences",
    "PostgresRecords",
    "PostgresSessions",
    "PostgresStore",
    "PostgresTokens",
    "SharedDatabase",
    "Wakeups",
    "agreed_key",
]
