"""What a link in a notice opens. Looking changes nothing; only the button acts.

The link itself is the leave to stop the message: whoever has it has the sender's mail. It can be taken back
here, too. Everything else needs a sign-in.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import Response

from mailguard.core.actor import Actor
from mailguard.core.link import Link, LinkAction
from mailguard.core.value import replace
from mailguard.edge.web.frame import local
from mailguard.edge.web.parts import Parts
from mailguard.edge.web.people import language_asked, language_of
from mailguard.edge.web.rendering import rendered
from mailguard.edge.web.showing import Reader, card
from mailguard.edge.web.telling import told_of
from mailguard.edge.web.wording import words
from mailguard.edge.web.words import speaking

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
            return self._not_good(request)
        return await self._page(request, link, {})

    async def act(self, request: Request, text: Text, verb: Annotated[str, Form()] = "") -> Response:
        link = self._parts.links.read(text)
        if link is None or link.action is not LinkAction.CANCEL or verb not in VERBS:
            return self._not_good(request)
        answer = await self._parts.ask({"verb": verb, "id": link.message_id}, await self._actor(link))
        return await self._page(request, link, {"did": verb, "told": str(answer["told"])})

    async def _page(self, request: Request, link: Link, did: Mapping[str, str]) -> Response:
        actor = await self._actor(link)
        language = await language_of(request, actor)
        asked = {"verb": "show", "id": link.message_id, "language": language}
        found = (await self._parts.ask(asked, actor)).get("message")
        message = found if isinstance(found, dict) else None
        reader = Reader(words=speaking(language), now=self._parts.clock.now(), local=local)
        one = None if message is None else card(message, reader)
        return rendered(
            "link.html",
            language=language,
            t=reader.words,
            id=link.message_id,
            card=one,
            told=told_of(did, message, reader),
            stops=link.action is LinkAction.CANCEL,
        )

    async def _actor(self, link: Link) -> Actor:
        """The person, with nothing but what is their own: no link makes an admin."""
        if link.login is None:
            return await self._parts.people.of_sender(link.address)
        return replace(await self._parts.people.of_login(link.login), admin=False)

    def _not_good(self, request: Request) -> Response:
        language = language_asked(request, self._parts.options.language)
        return rendered("fault.html", 404, language=language, text=words(language)["link_not_good"])
