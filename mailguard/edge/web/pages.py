"""The page of a person: what is held, one message, what was held, what waits for their approval, and how they
want it."""

import asyncio
import base64
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailguard.core import wording
from mailguard.core.states import FINISHED
from mailguard.core.value import dataclass
from mailguard.edge.web.acting import VERBS, act
from mailguard.edge.web.admin_pages import AdminPages
from mailguard.edge.web.frame import Pages, after_doing
from mailguard.edge.web.letter import Letter, clean_html, read
from mailguard.edge.web.live import Live
from mailguard.edge.web.parts import Json, Parts, Person
from mailguard.edge.web.people import person
from mailguard.edge.web.preference_pages import PreferencePages
from mailguard.edge.web.rendering import assets
from mailguard.edge.web.showing import card, history

PAGE = 30
Who = Annotated[Person, Depends(person)]

# The HTML of a stranger: nothing in it may run, load, or lead anywhere, and only our own page may frame it.
SHUT_IN = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}


def router(parts: Parts) -> APIRouter:
    """All pages."""
    routes, pages = APIRouter(include_in_schema=False), Pages(parts)
    mine = _Mine(pages)
    routes.add_api_route("/", mine.queue, methods=["GET"])
    routes.add_api_route("/history", mine.history, methods=["GET"])
    routes.add_api_route("/approvals", mine.approvals, methods=["GET"])
    routes.add_api_route("/messages/{message_id}", mine.message, methods=["GET"])
    routes.add_api_route("/messages/{message_id}/html", mine.html, methods=["GET"])
    routes.add_api_route("/messages/{message_id}/raw", mine.raw, methods=["GET"])
    routes.add_api_route("/messages/{message_id}/draft", mine.draft, methods=["GET"])
    routes.add_api_route("/messages/{message_id}/{verb}", mine.act, methods=["POST"])
    routes.include_router(PreferencePages(pages).router())
    routes.include_router(AdminPages(pages).router())
    routes.include_router(assets().router())
    routes.include_router(Live(parts).router())
    return routes


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a search form asked for."""

    q: str = ""
    state: str = ""


class _Mine:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def queue(self, request: Request, who: Who, after: str = "") -> HTMLResponse:
        answer = await self._pages.ask(who, "list", after=after, limit=PAGE)
        if answer["told"] != "done":
            # The place to go on from is gone: the list begins anew.
            after, answer = "", await self._pages.ask(who, "list", limit=PAGE)
        cards = self._cards(answer, who)
        more = answer.get("after") or ""
        total = f"{len(cards)}+" if more or after else len(cards)
        return await self._pages.shown(
            request, who, "queue.html", "queue", cards=cards, more=more, after=after, total=total
        )

    async def history(
        self, request: Request, who: Who, q: str = "", state: str = "", after: str = ""
    ) -> HTMLResponse:
        states = [state] if state in FINISHED else []
        wanted: Json = {"finished": True, "search": q, "states": states, "limit": PAGE, "after": after}
        answer = await self._pages.ask(who, "list", **wanted)
        kept = {"q": q, "state": states[0] if states else ""}
        return await self._pages.shown(
            request,
            who,
            "history.html",
            "history",
            cards=self._cards(answer, who),
            more=answer.get("after") or "",
            after=after,
            asked=Asked(**kept),
            query=urlencode({key: value for key, value in kept.items() if value}),
            states=[(one.value, wording.state(one, who.language)) for one in sorted(FINISHED)],
        )

    async def approvals(self, request: Request, who: Who) -> HTMLResponse:
        cards = self._cards(await self._pages.ask(who, "approvals"), who)
        return await self._pages.shown(request, who, "approvals.html", "approvals", cards=cards)

    async def message(self, request: Request, who: Who, message_id: str) -> HTMLResponse:
        answer = await self._pages.ask(who, "show", id=message_id)
        shown = answer.get("message")
        if not isinstance(shown, dict):
            return await self._pages.trouble(request, who, 503 if answer["told"] == "try_later" else 404)
        reader = self._pages.reader(who)
        one = card(shown, reader)
        content = await self._content(who, one.id)
        decides = one.state == "approval" and await self._may_decide(who, one.id)
        return await self._pages.shown(
            request,
            who,
            "message.html",
            "approvals" if decides else "queue" if one.actions else "history",
            card=one.only_read() if decides else one,
            decide=decides,
            seal=shown.get("seal") or "",
            letter=await self._letter(content),
            as_html=request.query_params.get("as") == "html",
            history=history(shown.get("events", []), reader),
            size=reader.words.size,
            up="/approvals" if decides else "/" if one.actions else "/history",
        )

    async def html(self, who: Who, message_id: str) -> Response:
        content = await self._content(who, message_id)
        text = "" if content is None else await asyncio.to_thread(clean_html, content)
        return HTMLResponse(text, 200 if text else 404, headers=SHUT_IN)

    async def raw(self, who: Who, message_id: str) -> Response:
        return _file(await self._content(who, message_id), message_id)

    async def draft(self, who: Who, message_id: str) -> Response:
        return _file(await self._content(who, message_id, "draft"), f"draft{message_id}")

    async def act(self, request: Request, who: Who, message_id: str, verb: str) -> Response:
        if verb not in VERBS:
            return await self._pages.trouble(request, who, 404)
        form = await request.form()
        did, word = await act(self._pages, who, verb, message_id, form)
        where = after_doing(str(form.get("back", "/")), did=did, id=message_id, told=word)
        return RedirectResponse(where, 303)

    async def _may_decide(self, who: Person, message_id: str) -> bool:
        found = (await self._pages.ask(who, "approvals", brief=True)).get("ids")
        return isinstance(found, list) and message_id in found

    async def _content(self, who: Person, message_id: str, verb: str = "raw") -> bytes | None:
        answer = await self._pages.ask(who, verb, id=message_id)
        encoded = answer.get("content")
        if not isinstance(encoded, str):
            return None
        return await asyncio.to_thread(base64.b64decode, encoded)

    async def _letter(self, content: bytes | None) -> Letter | None:
        return None if content is None else await asyncio.to_thread(read, content)

    def _cards(self, answer: Json, who: Person) -> list[Any]:
        reader = self._pages.reader(who)
        return [card(one, reader) for one in _listed(answer.get("messages"))]


def _file(content: bytes | None, name: str) -> Response:
    if content is None:
        return Response(status_code=404)
    # Never as message/rfc822: some browsers would show what is in it.
    safe = "".join(letter for letter in name if letter.isalnum())[:20]
    headers = {"Content-Disposition": f'attachment; filename="{safe}.eml"', **SHUT_IN}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _listed(value: object) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else []
