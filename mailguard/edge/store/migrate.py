"""Brings a database to the schema that this mailguard knows: numbered SQL files, forward only.

Each file runs in one transaction together with its line in `schema_version`, so a crash in between leaves
the schema as it was before. A released file is never changed: its checksum is held against the recorded one.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mailguard.core.errors import StoreError, UnknownSchema
from mailguard.core.value import dataclass

MIGRATIONS = Path(__file__).parent / "migrations"

_CREATE_TABLE = """
    CREATE TABLE schema_version (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at TEXT NOT NULL
    )
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One step of the schema, from `NNNN_name.sql`."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(dialect: str, folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """The steps for one kind of database (`sqlite`), in their order, numbered 1, 2, 3 ..."""
    found = []
    for path in sorted((folder / dialect).glob("[0-9][0-9][0-9][0-9]_*.sql")):
        number, _, name = path.stem.partition("_")
        found.append(Migration(number=int(number), name=name, sql=path.read_text("utf-8")))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"the installation is incomplete: {folder / dialect} lacks a file; install again")
    return tuple(found)


def upgrade(
    connection: sqlite3.Connection, file: Path, migrations: Sequence[Migration], now: datetime
) -> int:
    """Run the steps that the database does not have yet; how many there were.

    The connection must be in autocommit mode. Raises UnknownSchema where the database is newer than
    `migrations` or went another way, StoreError where it is no database of mailguard's.
    """
    done = _recorded(connection, file)
    compare(done, file, migrations)
    missing = [migration for migration in migrations if migration.number not in done]
    for migration in missing:
        _run(connection, migration, now)
    return len(missing)


def _recorded(connection: sqlite3.Connection, file: Path) -> dict[int, str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_version" in tables:
        return dict(connection.execute("SELECT number, checksum FROM schema_version").fetchall())
    if tables:
        raise StoreError(f"{file} is a database of another program; give mailguard a file of its own")
    return {}


def compare(done: dict[int, str], file: Path | str, migrations: Sequence[Migration]) -> None:
    """Hold what a database says was done to it against what is known. Raises UnknownSchema."""
    newest = max(done, default=0)
    if newest > len(migrations):
        raise UnknownSchema(
            f"{file} was written by a newer mailguard: it has schema {newest}, this one knows schemas up to"
            f" {len(migrations)}; install that version again, or restore the backup made before the upgrade"
        )
    for migration in migrations[:newest]:
        if done.get(migration.number) != migration.checksum:
            raise UnknownSchema(
                f"{file} has a schema {migration.number} that is not this mailguard's"
                f" ({migration.number:04}_{migration.name}.sql); install the version that wrote it, or"
                " restore a backup"
            )


def _run(connection: sqlite3.Connection, migration: Migration, now: datetime) -> None:
    try:
        # One script, because a trigger's body has semicolons of its own.
        connection.executescript("BEGIN IMMEDIATE;\n" + migration.sql)
        if migration.number == 1:
            connection.execute(_CREATE_TABLE)
        connection.execute(
            "INSERT INTO schema_version (number, name, checksum, at) VALUES (?, ?, ?, ?)",
            (migration.number, migration.name, migration.checksum, now.isoformat(timespec="seconds")),
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
