"""Makes a database as the sixth schema had it: that of the fifth with what came to it, and rows in that.

The statements are those of that time and stay as they are: no code of today has a part in it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.upgrade import fifth_schema, first_schema

# The file of that time, with its checksum; a released file is never changed.
SCHEMA = first_schema.SCHEMA.with_name("0006_outbox.sql")
CHECKSUM = "ab232e9cb9ef6903f4d1629f6f5625a8267afd6ac8a7c9ae2ed340909135d4d6"


def make(path: Path) -> None:
    """The database, closed by a guard that ended well."""
    fifth_schema.make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute(
            "INSERT INTO schema_version VALUES (6, 'outbox', ?, ?)",
            (CHECKSUM, "2026-11-30T08:00:00+00:00"),
        )
        connection.execute(
            "INSERT INTO outbox VALUES (1, '0a1b', 'siem', 'held', ?1, ?1, 0, '', '{}')",
            (first_schema.RECEIVED,),
        )
