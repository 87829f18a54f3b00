"""Makes a database as the second schema had it: that of the first with what came to it, and rows in that.

The statements are those of that time and stay as they are: no code of today has a part in it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.upgrade import first_schema

# The file of that time, with its checksum; a released file is never changed.
SCHEMA = first_schema.SCHEMA.with_name("0002_resubmission_and_backup.sql")
CHECKSUM = "98741a042a213ed3a4d3ac515236c3fb7a644d51bdeabc5f4d7930248b1ed87e"


def make(path: Path) -> None:
    """The database, closed by a guard that ended well."""
    first_schema.make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute(
            "INSERT INTO schema_version VALUES (2, 'resubmission_and_backup', ?, ?)",
            (CHECKSUM, "2026-11-20T08:00:00+00:00"),
        )
        connection.execute(
            "INSERT INTO submission VALUES (1, x'00ff', ?, 'Held as k7fm2xqp9d00 until 10:05')",
            (first_schema.RECEIVED,),
        )
