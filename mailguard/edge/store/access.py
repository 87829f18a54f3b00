"""ports.Sessions and ports.Tokens on SQLite: who is signed in to the page, and who holds a token.

Of what browsers and programs show only digests are kept: whoever reads the file can sign in with none of it.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from mailguard.edge.store import rows
from mailguard.edge.store.sqlite import Database
from mailguard.ports.access import Scope, Session, Token

# A statement and its values.
_Statement = tuple[str, tuple[object, ...]]


class SqliteSessions:
    """Who is signed in; it shares the queue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, session: Session) -> None:
        """Somebody signed in."""
        values = (session.login, session.mark, rows.time(session.began), rows.time(session.seen))
        text = "INSERT INTO session (digest, login, mark, began_at, seen_at) VALUES (?, ?, ?, ?, ?)"
        await self._write(text, session.digest, *values)

    async def find(self, digest: bytes) -> Session | None:
        """The session of this digest, however old it is."""
        return await self._database.read(_session, digest)

    async def touch(self, digest: bytes, seen: datetime) -> None:
        """Somebody looked again."""
        await self._write("UPDATE session SET seen_at = ? WHERE digest = ?", rows.time(seen), digest)

    async def end(self, digest: bytes) -> None:
        """Somebody signed out."""
        await self._write("DELETE FROM session WHERE digest = ?", digest)

    async def end_all(self, login: str) -> None:
        """Somebody signed out everywhere."""
        await self._write("DELETE FROM session WHERE login = ?", login)

    async def sweep(self, began_before: datetime, seen_before: datetime) -> None:
        """Remove those that began or were seen last before these times."""
        text = "DELETE FROM session WHERE began_at < ? OR seen_at < ?"
        await self._write(text, rows.time(began_before), rows.time(seen_before))

    async def _write(self, text: str, *values: object) -> None:
        await self._database.write(_run_all, (text, values))


class SqliteTokens:
    """Who holds a token; it shares the queue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: Token) -> bool:
        """A new one; False where its login has one of this name."""
        text = """
            INSERT OR IGNORE INTO token (digest, login, name, scope, made_at, expires_at, used_at)
            VALUES (?, ?, ?, ?, ?, ?, NULL)
        """
        ends = None if token.expires is None else rows.time(token.expires)
        values = (token.digest, token.login, token.name, token.scope.value, rows.time(token.made), ends)
        return await self._database.write(_run_all, (text, values)) == 1

    async def find(self, digest: bytes) -> Token | None:
        """The token of this digest, even where its time is over."""
        found = await self._database.read(_tokens, "digest = ?", digest)
        return found[0] if found else None

    async def of(self, login: str | None) -> Sequence[Token]:
        """The tokens of this login (None: everybody's), by login and name."""
        if login is None:
            return await self._database.read(_tokens, "? IS NULL", None)
        return await self._database.read(_tokens, "login = ?", login)

    async def used(self, digest: bytes, at: datetime) -> None:
        """Somebody showed it."""
        text = "UPDATE token SET used_at = ? WHERE digest = ?"
        await self._database.write(_run_all, (text, (rows.time(at), digest)))

    async def revoke(self, login: str, name: str) -> bool:
        """It is good for nothing from here on; False where there is none of this name."""
        text = "DELETE FROM token WHERE login = ? AND name = ?"
        return await self._database.write(_run_all, (text, (login, name))) == 1


def _run_all(connection: sqlite3.Connection, statements: Sequence[_Statement]) -> list[int]:
    """How many rows each statement touched."""
    return [connection.execute(text, values).rowcount for text, values in statements]


def _session(connection: sqlite3.Connection, digest: bytes) -> Session | None:
    row = connection.execute(
        "SELECT login, mark, began_at, seen_at FROM session WHERE digest = ?", (digest,)
    ).fetchone()
    if row is None:
        return None
    login, mark, began, seen = row
    return Session(digest=digest, login=login, mark=mark, began=rows.moment(began), seen=rows.moment(seen))


def _tokens(connection: sqlite3.Connection, condition: str, value: object) -> list[Token]:
    text = "SELECT digest, login, name, scope, made_at, expires_at, used_at FROM token"
    # The conditions are those that stand above, none of them from outside.
    found = connection.execute(f"{text} WHERE {condition} ORDER BY login, name", (value,)).fetchall()
    return [
        Token(
            digest=digest,
            login=login,
            name=name,
            scope=Scope(scope),
            made=rows.moment(made),
            expires=None if expires is None else rows.moment(expires),
            used=None if used is None else rows.moment(used),
        )
        for digest, login, name, scope, made, expires, used in found
    ]
