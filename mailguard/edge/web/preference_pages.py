"""How a person wants it: language, notices, sessions, and tokens."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailguard.edge.web.frame import Pages, after_doing
from mailguard.edge.web.parts import Person
from mailguard.edge.web.people import person
from mailguard.edge.web.sessions import MACHINE
from mailguard.edge.web.showing import moment

Who = Annotated[Person, Depends(person)]
PLACE = "/preferences"


class PreferencePages:
    """`/preferences`, and what it leads to."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def router(self) -> APIRouter:
        """The routes."""
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route(PLACE, self.preferences, methods=["GET"])
        routes.add_api_route(PLACE, self.prefer, methods=["POST"])
        routes.add_api_route("/sign-out/everywhere", self.sign_out_everywhere, methods=["POST"])
        routes.add_api_route(f"{PLACE}/tokens", self.make_token, methods=["POST"])
        routes.add_api_route(f"{PLACE}/tokens/revoke", self.revoke, methods=["POST"])
        return routes

    async def preferences(self, request: Request, who: Who) -> HTMLResponse:
        """The page."""
        return await self._page(request, who)

    async def prefer(self, request: Request, who: Who) -> Response:
        """Keep what was chosen; nothing chosen is what holds for everybody."""
        form = await request.form()
        language, notify = str(form.get("language", "")), str(form.get("notify", ""))
        answer = await self._pages.ask(who, "prefer", language=language or None, notify=notify or None)
        done = answer["told"] == "done"
        return RedirectResponse(
            after_doing(PLACE, did="saved") if done else after_doing(PLACE, did="save", told="try_later"), 303
        )

    async def sign_out_everywhere(self, request: Request, who: Who) -> Response:
        """End every session of this person, this one too."""
        await self._pages.parts.sessions.end_all(who.actor.account.login if who.actor.account else MACHINE)
        return RedirectResponse("/sign-in", 303)

    async def make_token(self, request: Request, who: Who) -> Response:
        """Make one, and show it this once: on the answer itself, so that it stands in no address."""
        form = await request.form()
        answer = await self._pages.ask(
            who, "token-new", name=str(form.get("name", "")), scope=str(form.get("scope", "act"))
        )
        made = answer.get("token")
        if answer["told"] != "done" or not made:
            return RedirectResponse(after_doing(PLACE, did="save", told="try_later"), 303)
        return await self._page(request, who, made=str(made))

    async def revoke(self, request: Request, who: Who) -> Response:
        """It is good for nothing from here on."""
        form = await request.form()
        answer = await self._pages.ask(who, "token-revoke", name=str(form.get("name", "")))
        done = answer["told"] in ("done", "already")
        return RedirectResponse(
            after_doing(PLACE, did="saved") if done else after_doing(PLACE, did="save", told="try_later"), 303
        )

    async def _page(self, request: Request, who: Person, made: str = "") -> HTMLResponse:
        chosen = (await self._pages.ask(who, "preferences")).get("preferences")
        login = who.actor.account.login if who.actor.account else ""
        tokens = (await self._pages.ask(who, "tokens", login=login)).get("tokens")
        return await self._pages.shown(
            request,
            who,
            "preferences.html",
            "you",
            preferences=chosen,
            tokens=self._tokens(tokens, who) if login and isinstance(tokens, list) else None,
            made=made,
        )

    def _tokens(self, tokens: list[dict[str, Any]], who: Person) -> list[dict[str, str]]:
        reader = self._pages.reader(who)
        say = reader.words
        shown = []
        for one in tokens:
            made, used = moment(one.get("made_at"), reader), moment(one.get("used_at"), reader)
            told = [say("prefs.token_made", time=made.short)] if made else []
            told.append(say("prefs.token_used", time=used.short) if used else say("prefs.token_never"))
            scope = say("prefs.scope_read") if one.get("scope") == "read" else say("prefs.scope_act")
            shown.append({"name": str(one.get("name", "")), "scope": scope, "note": " · ".join(told)})
        return shown
