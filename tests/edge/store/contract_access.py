"""What every store must do for those who are signed in, and for those who hold a token."""

from dataclasses import replace
from datetime import timedelta

from mailguard.ports.access import Scope, Session, Sessions, Token, Tokens
from tests.making import NOW

ANN = Session(digest=b"\x00ann", login="ann", mark="m1", began=NOW, seen=NOW)
DAY = timedelta(days=1)
READER = Token(digest=b"\xffread", login="ann", name="reader", scope=Scope.READ, made=NOW, expires=NOW + DAY)


class SessionsContract:
    """ports.Sessions."""

    async def test_one_begins_is_seen_and_ends(self, sessions: Sessions) -> None:
        await sessions.begin(ANN)
        assert await sessions.find(ANN.digest) == ANN
        assert await sessions.find(b"other") is None
        await sessions.touch(ANN.digest, NOW + DAY)
        assert await sessions.find(ANN.digest) == replace(ANN, seen=NOW + DAY)
        await sessions.end(ANN.digest)
        assert await sessions.find(ANN.digest) is None
        await sessions.end(ANN.digest)

    async def test_all_of_a_login_end_together(self, sessions: Sessions) -> None:
        bob = replace(ANN, digest=b"bob", login="bob")
        for one in (ANN, replace(ANN, digest=b"second"), bob):
            await sessions.begin(one)
        await sessions.end_all("ann")
        assert await sessions.find(ANN.digest) is None
        assert await sessions.find(b"second") is None
        assert await sessions.find(b"bob") == bob

    async def test_the_old_ones_are_swept(self, sessions: Sessions) -> None:
        idle = replace(ANN, digest=b"idle", seen=NOW - DAY)
        old = replace(ANN, digest=b"old", began=NOW - 7 * DAY)
        for one in (ANN, idle, old):
            await sessions.begin(one)
        await sessions.sweep(NOW - 2 * DAY, NOW - DAY / 2)
        found = [one for one in (ANN, idle, old) if await sessions.find(one.digest) is not None]
        assert found == [ANN]


class TokensContract:
    """ports.Tokens."""

    async def test_one_is_made_used_and_revoked(self, tokens: Tokens) -> None:
        assert await tokens.add(READER)
        assert await tokens.find(READER.digest) == READER
        await tokens.used(READER.digest, NOW + DAY)
        assert await tokens.find(READER.digest) == replace(READER, used=NOW + DAY)
        assert await tokens.revoke("ann", "reader")
        assert await tokens.find(READER.digest) is None
        assert not await tokens.revoke("ann", "reader")

    async def test_a_name_is_given_once_by_each_login(self, tokens: Tokens) -> None:
        assert await tokens.add(READER)
        assert not await tokens.add(replace(READER, digest=b"another", scope=Scope.ADMIN))
        assert await tokens.find(b"another") is None
        bobs = replace(READER, digest=b"bob", login="bob", expires=None)
        assert await tokens.add(bobs)
        assert not await tokens.revoke("bob", "other")
        assert list(await tokens.of("ann")) == [READER]
        assert list(await tokens.of(None)) == [READER, bobs]
        assert list(await tokens.of("nobody")) == []
