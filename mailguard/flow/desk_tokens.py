"""The front desk's verbs about tokens: an admin's on everybody's, a person's on their own."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from mailguard.core import view
from mailguard.core.actor import Actor
from mailguard.core.told import Told
from mailguard.flow.keyring import USUAL_LIFE, Keyring, TokenRefused
from mailguard.ports.access import Scope, Token

Json = dict[str, object]
Request = Mapping[str, object]


class TokenVerbs:
    """`tokens`, `token-new` and `token-revoke`. In a request, `login` is whose ("": the machine's);
    without it, the asker's own."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def verbs(self) -> dict[str, Callable[[Request, Actor], Awaitable[Json]]]:
        """By name, for the desk."""
        return {"tokens": self._list, "token-new": self._new, "token-revoke": self._revoke}

    async def _list(self, request: Request, actor: Actor) -> Json:
        login = None if actor.admin and "login" not in request else _login(request, actor)
        if login is None and not actor.admin:
            return _NOT_YOURS
        return {
            "told": Told.DONE.value,
            "text": "",
            "tokens": [_shown(one) for one in await self._keyring.of(login)],
        }

    async def _new(self, request: Request, actor: Actor) -> Json:
        login = _login(request, actor)
        if login is None:
            return _NOT_YOURS
        days = request.get("days", USUAL_LIFE.days)
        try:
            scope = Scope(str(request.get("scope", "act")))
            life = None if days is None else timedelta(days=float(str(days)))
            shown = await self._keyring.new(login, str(request.get("name", "")), scope, life)
        except (ValueError, OverflowError) as error:
            return _refused(f"{error}; the scopes are read, act and admin, and `days` is a number")
        except TokenRefused as error:
            return _refused(str(error))
        return {
            "told": Told.DONE.value,
            "text": "This is shown once; keep it like a password.",
            "token": shown,
        }

    async def _revoke(self, request: Request, actor: Actor) -> Json:
        login, name = _login(request, actor), str(request.get("name", ""))
        if login is None:
            return _NOT_YOURS
        if not await self._keyring.revoke(login, name):
            return {
                "told": Told.NO_SUCH_MESSAGE.value,
                "text": f"there is no token {name!r} of {login or 'the machine'}",
            }
        return {"told": Told.DONE.value, "text": f"{name!r} is good for nothing any more"}


_NOT_YOURS: Json = {"told": Told.NOT_YOURS.value, "text": "only an admin may see to the tokens of others"}


def _refused(text: str) -> Json:
    return {"told": Told.REFUSED.value, "text": text}


def _login(request: Request, actor: Actor) -> str | None:
    """Whose tokens are meant; None where they are not the asker's to see to."""
    own = "" if actor.account is None else actor.account.login
    asked = request.get("login")
    if not isinstance(asked, str):
        return own if actor.account is not None or actor.admin else None
    return asked if actor.admin or (actor.account is not None and asked == own) else None


def _shown(token: Token) -> Json:
    return {
        "name": token.name,
        "login": token.login,
        "scope": token.scope.value,
        "made_at": view.time(token.made),
        "expires_at": view.time(token.expires),
        "used_at": view.time(token.used),
    }
