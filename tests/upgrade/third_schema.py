"""Makes a database as the third schema had it: that of the second with what came to it, and rows in that.

The statements are those of that time and stay as they are: no code of today has a part in it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.upgrade import first_schema, second_schema

# The file of that time, with its checksum; a released file is never changed.
SCHEMA = first_schema.SCHEMA.with_name("0003_records.sql")
CHECKSUM = "4d420014b73cf82aa8b5075d1fb4ad5222feab7fbde4ddb17b4068b0c6e1c226"


def make(path: Path) -> None:
    """The database, closed by a guard that ended well."""
    second_schema.make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute(
            "INSERT INTO schema_version VALUES (3, 'records', ?, ?)",
            (CHECKSUM, "2026-11-25T08:00:00+00:00"),
        )
        connection.execute("INSERT INTO observation VALUES (1, 1764000000, 7, 0.5, 3, x'00ff')")
        connection.execute("INSERT INTO meant VALUES ('a', 'stranger_in_thread', 'b@client.example')")
        connection.execute("INSERT INTO learning VALUES ('Sent.mbox', '4096')")
