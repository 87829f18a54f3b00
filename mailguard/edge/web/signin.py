"""Signing in, with the login of SMTP or by the link that is good once; and signing out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailguard.core.account import Account
from mailguard.core.network import counted_by, plain
from mailguard.edge.web.parts import Parts, Person
from mailguard.edge.web.people import language_asked, maybe_person, next_place, own_origin, person
from mailguard.edge.web.rendering import rendered
from mailguard.edge.web.sessions import MACHINE, SignedIn
from mailguard.edge.web.wording import words
from mailguard.flow.guessing import judged

# Of what a wrong password can be told: there were too many.
TOO_MANY = "too_many"


def router(parts: Parts, signed_in: SignedIn) -> APIRouter:
    """The pages around signing in."""
    routes, pages = APIRouter(include_in_schema=False), _Pages(parts, signed_in)
    routes.add_api_route("/sign-in", pages.sign_in, methods=["GET"])
    routes.add_api_route("/sign-in", pages.signing_in, methods=["POST"])
    routes.add_api_route("/sign-out", pages.sign_out, methods=["POST"])
    routes.add_api_route("/open", pages.opening, methods=["GET"])
    routes.add_api_route("/open", pages.open_once, methods=["POST"])
    return routes


class _Pages:
    def __init__(self, parts: Parts, signed_in: SignedIn) -> None:
        self._parts = parts
        self._signed_in = signed_in

    async def sign_in(
        self, request: Request, who: Annotated[Person | None, Depends(maybe_person)]
    ) -> Response:
        wanted = next_place(request.query_params.get("next", "/"))
        return RedirectResponse(wanted, 303) if who else await self._form(request, wanted)

    async def signing_in(
        self,
        request: Request,
        login: Annotated[str, Form(max_length=1000)] = "",
        password: Annotated[str, Form(max_length=2000)] = "",
        wanted: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    ) -> Response:
        own_origin(request)
        wanted = next_place(wanted)
        account = await judge(self._parts, login, password, client_of(request))
        if isinstance(account, str):
            problem = words(self._language(request))[account]
            return await self._form(request, wanted, problem, 429 if account == TOO_MANY else 403)
        response = RedirectResponse(wanted, 303)
        # What the browser showed before is void: nobody can have planted the session that counts now.
        await self._signed_in.end(request, response)
        await self._signed_in.begin(account.login, response)
        return response

    async def sign_out(self, request: Request, _: Annotated[Person, Depends(person)]) -> Response:
        response = RedirectResponse("/sign-in", 303)
        await self._signed_in.end(request, response)
        return response

    async def opening(self, request: Request, key: Annotated[str, Query(max_length=200)] = "") -> Response:
        return rendered("open.html", language=self._language(request), key=key)

    async def open_once(self, request: Request, key: Annotated[str, Form(max_length=200)] = "") -> Response:
        own_origin(request)
        if not self._parts.once.used(key):
            return rendered("open.html", 403, language=self._language(request), key="")
        response = RedirectResponse("/", 303)
        await self._signed_in.begin(MACHINE, response)
        return response

    async def _form(
        self, request: Request, wanted: str, problem: str = "", status: int = 200
    ) -> HTMLResponse:
        logins, language = await self._parts.accounts.any_login(), self._language(request)
        return rendered(
            "sign_in.html", status, language=language, logins=logins, next=wanted, problem=problem
        )

    def _language(self, request: Request) -> str:
        return language_asked(request, self._parts.options.language)


async def judge(parts: Parts, login: str, password: str, network: str) -> Account | str:
    """Whose login and password these are; else which of our words to say."""
    found = await judged(parts.guessing, parts.accounts, login, password, network)
    if not found.heard:
        return TOO_MANY
    if found.account is None:
        known = await parts.accounts.account(login)
        # What was typed as a login may be a password: only the name of a real account is logged.
        parts.log.event("sign_in_failed", peer=network, user=known.login if known else None)
        await parts.clock.sleep(parts.options.wrong_password_delay * 2**found.doublings)
        return "wrong"
    parts.log.event("signed_in", peer=network, user=found.account.login)
    return found.account


def client_of(request: Request) -> str:
    """By what a client is counted; behind a proxy of ours, the proxy's word is taken."""
    try:
        return counted_by(plain(request.client.host if request.client else ""))
    except ValueError:
        return "unknown"
