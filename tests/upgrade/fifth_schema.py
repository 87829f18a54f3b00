"""Makes a database as the fifth schema had it: that of the fourth with what came to it, and rows in that.

The statements are those of that time and stay as they are: no code of today has a part in it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.upgrade import first_schema, fourth_schema

# The file of that time, with its checksum; a released file is never changed.
SCHEMA = first_schema.SCHEMA.with_name("0005_access.sql")
CHECKSUM = "723482dd627384322d587ea1484f6e820dbd21c14ae30ee89d467682689f7831"


def make(path: Path) -> None:
    """The database, closed by a guard that ended well."""
    fourth_schema.make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute(
            "INSERT INTO schema_version VALUES (5, 'access', ?, ?)",
            (CHECKSUM, "2026-11-29T08:00:00+00:00"),
        )
        connection.execute(
            "INSERT INTO session VALUES (x'0102', 'a', 'mark', ?1, ?1)", (first_schema.RECEIVED,)
        )
        connection.execute(
            "INSERT INTO token VALUES (x'0304', 'a', 'laptop', 'act', ?1, NULL, NULL)",
            (first_schema.RECEIVED,),
        )
