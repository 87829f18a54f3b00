"""The store on a disk: the queue and the memory in one SQLite database under the state directory."""

from mailguard.edge.store.access import SqliteSessions, SqliteTokens
from mailguard.edge.store.backup import Standstill, check_log
from mailguard.edge.store.examining import examine
from mailguard.edge.store.lock import StateLock
from mailguard.edge.store.memory import SqliteMemory
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.outbox import SqliteOutbox
from mailguard.edge.store.preferences import SqlitePreferences
from mailguard.edge.store.records import SqliteRecords
from mailguard.edge.store.sqlite import Database

__all__ = [
    "Database",
    "SqliteMemory",
    "SqliteOutbox",
    "SqlitePreferences",
    "SqliteRecords",
    "SqliteSessions",
    "SqliteStore",
    "SqliteTokens",
    "Standstill",
    "StateLock",
    "check_log",
    "examine",
]
