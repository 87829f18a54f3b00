"""The JSON interface beside messages: preferences, tokens, and what an admin may ask of the guard itself."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from mailguard.edge.web import models
from mailguard.edge.web.answering import outcome, refusal, telling
from mailguard.edge.web.api import PREFIX, Acting, Looking
from mailguard.edge.web.parts import Json, Parts, Person
from mailguard.edge.web.people import SignedOut, own_origin, person
from mailguard.edge.web.signin import TOO_MANY, client_of, judge

_NOT_ADMIN: Json = {"told": "not_yours", "text": "only an admin may ask that"}


def router(parts: Parts) -> APIRouter:
    """`/api/v1/preferences`, `/tokens`, and for admins `/status`, `/reload`, `/try`."""
    routes, people, admin = APIRouter(prefix=PREFIX), _People(parts), _Admin(parts)
    preferences: dict[str, Any] = {
        "response_model": models.Preferences,
        "responses": telling(400),
        "tags": ["people"],
    }
    routes.add_api_route("/preferences", people.preferences, **preferences)
    routes.add_api_route("/preferences", people.prefer, methods=["PUT"], **preferences)
    own: dict[str, Any] = {"tags": ["tokens"]}
    routes.add_api_route(
        "/tokens", people.tokens, response_model=list[models.Token], responses=telling(), **own
    )
    routes.add_api_route(
        "/tokens",
        people.new_token,
        methods=["POST"],
        response_model=models.MadeToken,
        responses=telling(400, 413, 429),
        **own,
    )
    gone: dict[str, Any] = {"response_model": models.Outcome, "responses": telling(400, 404)}
    routes.add_api_route("/tokens/{name}", people.revoke, methods=["DELETE"], **gone, **own)
    told: dict[str, Any] = {"tags": ["admin"]}
    routes.add_api_route("/status", admin.status, response_model=models.Out, responses=telling(), **told)
    changed: dict[str, Any] = {"response_model": models.Outcome, "responses": telling(400)}
    routes.add_api_route("/reload", admin.reload, methods=["POST"], **changed, **told)
    routes.add_api_route(
        "/try",
        admin.imagine,
        methods=["POST"],
        response_model=models.Out,
        responses=telling(400, 413),
        **told,
    )
    return routes


class _People:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def preferences(self, who: Looking) -> Response:
        """What the asker has chosen."""
        return _part(await self._parts.ask({"verb": "preferences"}, who.actor), "preferences")

    async def prefer(self, who: Acting, body: models.Preferences) -> Response:
        """Choose a language, and when a notice comes by mail."""
        return _part(await self._parts.ask({"verb": "prefer", **body.model_dump()}, who.actor), "preferences")

    async def tokens(self, who: Looking) -> Response:
        """The asker's tokens."""
        own = "" if who.actor.account is None else who.actor.account.login
        return _part(await self._parts.ask({"verb": "tokens", "login": own}, who.actor), "tokens")

    async def new_token(self, request: Request, body: models.NewToken) -> Response:
        """Make a token, with the password of a login or for whoever is signed in to the page. A token cannot
        make another one."""
        maker = await self._maker(request, body)
        if isinstance(maker, Response):
            return maker
        asked = {"verb": "token-new", "name": body.name, "scope": body.scope, "days": body.days}
        answer = await self._parts.ask(asked, maker.actor)
        login = "" if maker.actor.account is None else maker.actor.account.login
        return refusal(answer) or JSONResponse({"token": answer["token"], "login": login})

    async def _maker(self, request: Request, body: models.NewToken) -> Person | Response:
        if body.login is None:
            if "authorization" in request.headers:
                raise SignedOut
            return await person(request)
        own_origin(request)
        account = await judge(self._parts, body.login, body.password or "", client_of(request))
        if isinstance(account, str):
            text = "login or password is wrong" if account != TOO_MANY else "too many wrong passwords"
            return JSONResponse({"told": "refused", "text": text}, 429 if account == TOO_MANY else 403)
        actor = await self._parts.people.of_login(account.login)
        return Person(actor=actor, language=self._parts.options.language)

    async def revoke(self, who: Acting, name: Annotated[str, Path(min_length=1, max_length=64)]) -> Response:
        """Make one of the asker's tokens good for nothing."""
        return outcome(await self._parts.ask({"verb": "token-revoke", "name": name}, who.actor))


class _Admin:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def status(self, who: Looking) -> Response:
        """Listeners, counts by state, what is overdue, the rules in force and the last reload error."""
        if not who.actor.admin:
            return outcome(_NOT_ADMIN)
        return _part(await self._parts.ask({"verb": "status"}, who.actor), "status")

    async def reload(self, who: Acting) -> Response:
        """Read the rules again; a bad file changes nothing."""
        return outcome(await self._parts.ask({"verb": "reload"}, who.actor))

    async def imagine(self, who: Looking, body: models.Try) -> Response:
        """What would happen to this message, and why; nothing is stored."""
        if not who.actor.admin:
            return outcome(_NOT_ADMIN)
        asked = {"verb": "try", **body.model_dump(by_alias=True)}
        return _part(await self._parts.ask(asked, who.actor), "verdict")


def _part(answer: Json, key: str) -> Response:
    return refusal(answer) or JSONResponse(answer[key])
