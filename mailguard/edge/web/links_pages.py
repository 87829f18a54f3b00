"""What a link in a notice opens. Looking changes nothing; only the button acts.

The link itself is the leave to stop the message: whoever has it has the sender's mail. It can be taken back
here, too. Everything else needs a sign-in.
"""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import Response

from mailguard.core.actor import Actor
from mailguard.core.link import Link, LinkAction
from mailguard.edge.web.parts import Json, Parts
from mailguard.edge.web.people import language_of
from mailguard.edge.web.rendering import rendered
from mailguard.edge.web.wording import words

Text = Annotated[str, Path(max_length=4000)]

# What the button of a link that stops may ask for.
VERBS = frozenset({"cancel", "restore"})


def router(parts: Parts) -> APIRouter:
    """`/l/…`"""
    routes, pages = APIRouter(include_in_schema=False), _Links(parts)
    routes.add_api_route("/l/{text}", pages.show, methods=["GET"])
    routes.add_api_route("/l/{text}", pages.act, methods=["POST"])
    return routes


class _Links:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def show(self, request: Request, text: Text) -> Response:
        link = self._parts.links.read(text)
        if link is None:
            return self._not_good()
        return await self._page(request, link, "")

    async def act(self, request: Request, text: Text, verb: Annotated[str, Form()] = "") -> Response:
        link = self._parts.links.read(text)
        if link is None or link.action is not LinkAction.CANCEL or verb not in VERBS:
            return self._not_good()
        answer = await self._parts.ask({"verb": verb, "id": link.message_id}, await self._actor(link))
        return await self._page(request, link, _done(verb, str(answer["told"])))

    async def _page(self, request: Request, link: Link, told: str) -> Response:
        actor = await self._actor(link)
        language = await language_of(request, actor)
        asked = {"verb": "show", "id": link.message_id, "language": language}
        message = (await self._parts.ask(asked, actor)).get("message")
        said = words(language)[told] if told else ""
        return rendered("link.html", language=language, **_shown(link, message, said))

    async def _actor(self, link: Link) -> Actor:
        """The person, with nothing but what is their own: no link makes an admin."""
        if link.login is None:
            return await self._parts.people.of_sender(link.address)
        return replace(await self._parts.people.of_login(link.login), admin=False)

    def _not_good(self) -> Response:
        language = self._parts.options.language
        return rendered("fault.html", 404, language=language, text=words(language)["link_not_good"])


def _done(verb: str, word: str) -> str:
    """Which of our words tells what came of it."""
    if word in ("done", "already"):
        return f"did_{verb}"
    return "too_late" if word == "too_late" else "did_not"


def _shown(link: Link, message: object, told: str) -> dict[str, Any]:
    known: Json = message if isinstance(message, dict) else {}
    recipients = known.get("recipients")
    listed = [str(one["address"]) for one in recipients] if isinstance(recipients, list) else []
    cancels = link.action is LinkAction.CANCEL
    state = str(known.get("state", ""))
    return {
        "id": link.message_id,
        "told": told,
        "known": bool(known),
        "state": state,
        "subject": known.get("subject", ""),
        "recipients": listed,
        "may_cancel": cancels and state in ("held", "frozen", "confirm", "approval", "queued", "relaying"),
        "may_restore": cancels and state == "cancelled",
    }
