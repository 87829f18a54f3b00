"""Tokens: a program's way in, in somebody's name, for as much as its maker said and no longer."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta

from mailguard.core.actor import ADMIN, Actor
from mailguard.core.errors import MailguardError
from mailguard.core.value import dataclass
from mailguard.flow.people import People
from mailguard.ports import Clock
from mailguard.ports.access import Scope, Token, Tokens

# Whoever finds one in a file knows what it is, and scanners for secrets do, too.
PREFIX = "mgt_"
LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=90)
# A use is not written down each time.
USED_AFTER = timedelta(minutes=5)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


class TokenRefused(MailguardError):
    """No such token can be made; the text says what was expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who shows a token: as whom it acts, and how far it reaches."""

    actor: Actor
    token: Token


class Keyring:
    """All tokens. Of what a program shows only a digest is kept, so nobody can be told a second time."""

    def __init__(self, *, tokens: Tokens, people: People, clock: Clock) -> None:
        self._tokens = tokens
        self._people = people
        self._clock = clock

    async def new(self, login: str, name: str, scope: Scope, life: timedelta | None = USUAL_LIFE) -> str:
        """A fresh token for this login ("" for the admin of the machine); told this once. Without a `life` it
        is good until it is revoked. Raises TokenRefused."""
        if not _NAME.fullmatch(name):
            raise TokenRefused(f"{name!r} is no name for a token; expected up to 64 letters, digits, . _ @ -")
        if life is not None and not timedelta(0) < life <= LONGEST_LIFE:
            raise TokenRefused("a token is good for a year at most, or until it is revoked")
        if login and (await self._people.of_login(login)).account is None:
            raise TokenRefused(f"there is no login {login}")
        shown, now = PREFIX + secrets.token_urlsafe(32), self._clock.now()
        ends = None if life is None else now + life
        token = Token(digest=_digest(shown), login=login, name=name, scope=scope, made=now, expires=ends)
        if not await self._tokens.add(token):
            raise TokenRefused(f"there is a token {name!r} already; revoke it, or give this one another name")
        return shown

    async def holder(self, shown: str) -> Holder | None:
        """Who shows this; None where it is no token, or not any more."""
        if not shown.startswith(PREFIX):
            return None
        token = await self._tokens.find(_digest(shown))
        now = self._clock.now()
        if token is None or (token.expires is not None and token.expires <= now):
            return None
        actor = await self._actor(token)
        if actor is None:
            return None
        if token.used is None or now - token.used >= USED_AFTER:
            await self._tokens.used(token.digest, now)
        return Holder(actor=actor, token=token)

    async def of(self, login: str | None) -> Sequence[Token]:
        """The tokens of this login; None for everybody's."""
        return await self._tokens.of(login)

    async def revoke(self, login: str, name: str) -> bool:
        """It is good for nothing from here on; False where there is none of this name."""
        return await self._tokens.revoke(login, name)

    async def _actor(self, token: Token) -> Actor | None:
        if not token.login:
            return ADMIN
        actor = await self._people.of_login(token.login)
        if actor.account is None:
            return None
        if actor.admin and token.scope is not Scope.ADMIN:
            return Actor(name=actor.name, account=actor.account, shared=actor.shared)
        return actor


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
