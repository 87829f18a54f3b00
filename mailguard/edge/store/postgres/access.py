"""ports.Sessions and ports.Tokens on PostgreSQL: who signed in at one guard is known at all of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection

from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.text import storable
from mailguard.ports.access import Scope, Session, Token

Connection = AsyncConnection[tuple[Any, ...]]

_TOKENS = "SELECT digest, login, name, scope, made_at, expires_at, used_at FROM token"


class PostgresSessions:
    """Who is signed in."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database

    async def begin(self, session: Session) -> None:
        """Somebody signed in."""
        await self._database.read(
            _run,
            "INSERT INTO session (digest, login, mark, began_at, seen_at) VALUES (%b, %s, %s, %s, %s)",
            (session.digest, storable(session.login), storable(session.mark), session.began, session.seen),
        )

    async def find(self, digest: bytes) -> Session | None:
        """The session of this digest, however old it is."""
        return await self._database.read(_session, digest)

    async def touch(self, digest: bytes, seen: datetime) -> None:
        """Somebody looked again."""
        await self._database.read(_run, "UPDATE session SET seen_at = %s WHERE digest = %b", (seen, digest))

    async def end(self, digest: bytes) -> None:
        """Somebody signed out."""
        await self._database.read(_run, "DELETE FROM session WHERE digest = %b", (digest,))

    async def end_all(self, login: str) -> None:
        """Somebody signed out everywhere."""
        await self._database.read(_run, "DELETE FROM session WHERE login = %s", (storable(login),))

    async def sweep(self, began_before: datetime, seen_before: datetime) -> None:
        """Remove those that began or were seen last before these times."""
        await self._database.read(
            _run, "DELETE FROM session WHERE began_at < %s OR seen_at < %s", (began_before, seen_before)
        )


class PostgresTokens:
    """Who holds a token."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database

    async def add(self, token: Token) -> bool:
        """A new one; False where its login has one of this name."""
        text: LiteralString = """
            INSERT INTO token (digest, login, name, scope, made_at, expires_at)
            VALUES (%b, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """
        names = (storable(token.login), storable(token.name), token.scope.value)
        values = (token.digest, *names, token.made, token.expires)
        return await self._database.read(_run, text, values) == 1

    async def find(self, digest: bytes) -> Token | None:
        """The token of this digest, even where its time is over."""
        found = await self._database.read(_tokens, f"{_TOKENS} WHERE digest = %b", (digest,))
        return found[0] if found else None

    async def of(self, login: str | None) -> Sequence[Token]:
        """The tokens of this login (None: everybody's), by login and name."""
        if login is None:
            return await self._database.read(_tokens, f"{_TOKENS} ORDER BY login, name", ())
        query: LiteralString = f"{_TOKENS} WHERE login = %s ORDER BY name"
        return await self._database.read(_tokens, query, (storable(login),))

    async def used(self, digest: bytes, at: datetime) -> None:
        """Somebody showed it."""
        await self._database.read(_run, "UPDATE token SET used_at = %s WHERE digest = %b", (at, digest))

    async def revoke(self, login: str, name: str) -> bool:
        """It is good for nothing from here on; False where there is none of this name."""
        text: LiteralString = "DELETE FROM token WHERE login = %s AND name = %s"
        return await self._database.read(_run, text, (storable(login), storable(name))) == 1


async def _run(connection: Connection, text: LiteralString, values: Sequence[object]) -> int:
    """How many rows the statement touched."""
    return (await connection.execute(text, values)).rowcount


async def _session(connection: Connection, digest: bytes) -> Session | None:
    asked = await connection.execute(
        "SELECT login, mark, began_at, seen_at FROM session WHERE digest = %b", (digest,)
    )
    row = await asked.fetchone()
    if row is None:
        return None
    login, mark, began, seen = row
    return Session(digest=digest, login=login, mark=mark, began=began, seen=seen)


async def _tokens(connection: Connection, text: LiteralString, values: Sequence[object]) -> list[Token]:
    asked = await connection.execute(text, values, binary=True)
    return [
        Token(
            digest=bytes(digest),
            login=login,
            name=name,
            scope=Scope(scope),
            made=made,
            expires=expires,
            used=used,
        )
        for digest, login, name, scope, made, expires, used in await asked.fetchall()
    ]
