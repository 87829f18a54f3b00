"""Who is signed in: what the browser shows, how long it counts, and when it ends before that."""

import hashlib
import secrets
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from mailguard.core.actor import ADMIN, Actor
from mailguard.edge.web.parts import Parts
from mailguard.ports.access import Session

# Without a look for so long, and however busy.
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
# A look is not written down each time.
TOUCH_AFTER = timedelta(minutes=5)

# The admin of the machine has no login.
MACHINE = ""


class SignedIn:
    """The sessions of the page. Of what the browser shows only a digest is kept."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # The prefix makes browsers refuse it without https, from another host, or for another path.
        self.cookie = "__Host-mailguard" if parts.options.secure else "mailguard"

    async def begin(self, login: str, response: Response) -> None:
        """Sign somebody in, under a value that nobody has seen before."""
        mark = await self._mark(login)
        now, shown = self._parts.clock.now(), secrets.token_urlsafe(32)
        await self._parts.sessions.sweep(now - LONGEST, now - IDLE)
        await self._parts.sessions.begin(
            Session(digest=digest(shown), login=login, mark=mark or "", began=now, seen=now)
        )
        response.set_cookie(
            self.cookie,
            shown,
            max_age=int(LONGEST.total_seconds()),
            secure=self._parts.options.secure,
            httponly=True,
            samesite="strict",
        )

    async def of(self, request: Request) -> Actor | None:
        """Who this request's cookie belongs to; None where it is not good, or not any more."""
        shown = request.cookies.get(self.cookie, "")
        if not shown:
            return None
        session = await self._parts.sessions.find(digest(shown))
        now = self._parts.clock.now()
        if session is None or now - session.began > LONGEST or now - session.seen > IDLE:
            return None
        actor = await actor_of(self._parts, session.login)
        if actor is None or session.mark != (await self._mark(session.login) or ""):
            await self._parts.sessions.end(session.digest)
            return None
        if now - session.seen > TOUCH_AFTER:
            await self._parts.sessions.touch(session.digest, now)
        return actor

    async def end(self, request: Request, response: Response) -> None:
        """Sign out: what the browser shows is worth nothing from here on, wherever it was copied to."""
        if shown := request.cookies.get(self.cookie, ""):
            await self._parts.sessions.end(digest(shown))
        response.delete_cookie(
            self.cookie, secure=self._parts.options.secure, httponly=True, samesite="strict"
        )

    def csrf(self, request: Request) -> str:
        """What a form of this session brings along; nobody who does not know the cookie can tell it."""
        return hashlib.sha256(b"csrf " + request.cookies.get(self.cookie, "").encode()).hexdigest()[:32]

    async def _mark(self, login: str) -> str | None:
        return "" if login == MACHINE else await self._parts.accounts.password_mark(login)


async def actor_of(parts: Parts, login: str) -> Actor | None:
    """As whom the front desk is asked for this login; None where there is no such login any more."""
    if login == MACHINE:
        return ADMIN
    actor = await parts.people.of_login(login)
    return None if actor.account is None else actor


def digest(shown: str) -> bytes:
    """By what a secret is known here: it cannot be read back, and has 256 bits of its own."""
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
