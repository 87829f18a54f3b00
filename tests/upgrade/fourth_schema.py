"""Makes a database as the fourth schema had it: that of the third with what came to it, and rows in that.

The statements are those of that time and stay as they are: no code of today has a part in it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.upgrade import first_schema, third_schema

# The file of that time, with its checksum; a released file is never changed.
SCHEMA = first_schema.SCHEMA.with_name("0004_reminders_and_preferences.sql")
CHECKSUM = "5f7ec15447e244523d68669d05e4ae25552274759941fee119ce59536d3bd6c7"


def make(path: Path) -> None:
    """The database, closed by a guard that ended well."""
    third_schema.make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute(
            "INSERT INTO schema_version VALUES (4, 'reminders_and_preferences', ?, ?)",
            (CHECKSUM, "2026-11-28T08:00:00+00:00"),
        )
        connection.execute("INSERT INTO preference VALUES ('a', 'fr', NULL)")
