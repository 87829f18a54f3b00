"""The JSON interface to messages: the verbs of the command line over HTTP, each on what the asker may see."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from mailguard.core.states import MessageState
from mailguard.edge.web import models
from mailguard.edge.web.answering import outcome, refusal, telling
from mailguard.edge.web.parts import Json, Parts, Person
from mailguard.edge.web.people import acting, looking

PREFIX = "/api/v1"
MOST_LISTED = 1000
EML = "message/rfc822"

Looking = Annotated[Person, Depends(looking)]
Acting = Annotated[Person, Depends(acting)]
Id = Annotated[
    str,
    Path(min_length=1, max_length=64, description="A message id, or enough of its beginning."),
]

# Verb, and what it does, of those that need nothing but the message.
PLAIN = {
    "restore": "Take a cancel back: held again, its delay counted from now.",
    "release": "Send it now.",
    "confirm": "Say yes to a message that waits for its sender.",
    "freeze": "Stop the clock of a held message.",
    "thaw": "Start the clock again.",
}


def router(parts: Parts) -> APIRouter:
    """`/api/v1/messages` and what is below it."""
    routes, messages = APIRouter(prefix=PREFIX, tags=["messages"]), _Messages(parts)
    routes.add_api_route(
        "/messages", messages.listed, response_model=list[models.Message], responses=telling(400, 404)
    )
    shown: dict[str, Any] = {"response_model": models.WholeMessage, "responses": telling(400, 404)}
    routes.add_api_route("/messages/{id}", messages.shown, **shown)
    routes.add_api_route(
        "/messages/{id}/raw",
        messages.raw,
        response_class=Response,
        responses={**telling(400, 404, 409), 200: {"content": {EML: {}}}},
    )
    decided: dict[str, Any] = {
        "methods": ["POST"],
        "response_model": models.Outcome,
        "responses": telling(400, 404, 409, 413),
    }
    for verb, text in PLAIN.items():
        endpoint = messages.plain(verb)
        routes.add_api_route(f"/messages/{{id}}/{verb}", endpoint, description=text, name=verb, **decided)
    routes.add_api_route("/messages/{id}/cancel", messages.cancel, **decided)
    draft: dict[int | str, Any] = {200: {"content": {EML: {}}}}
    edited: dict[str, Any] = decided | {
        "response_model": models.Draft,
        "responses": decided["responses"] | draft,
    }
    routes.add_api_route("/messages/{id}/edit", messages.edit, **edited)
    routes.add_api_route("/messages/{id}/approve", messages.approve, **decided)
    routes.add_api_route("/messages/{id}/extend", messages.extend, **decided)
    routes.add_api_route("/messages/{id}/reject", messages.reject, **decided)
    return routes


class _Messages:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def listed(
        self,
        who: Looking,
        state: Annotated[list[MessageState] | None, Query(description="Only these states.")] = None,
        sender: Annotated[str, Query(max_length=1000, description="Only mail from this sender.")] = "",
        everything: Annotated[bool, Query(alias="all", description="Finished messages too.")] = False,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 200,
        after: Annotated[str, Query(max_length=64, description="Go on after the message of this id.")] = "",
    ) -> Response:
        """The asker's messages, next to leave first; an admin's list has everybody's."""
        request = {
            "verb": "queue",
            "states": [one.value for one in state or ()],
            "sender": sender,
            "all": everything,
            "limit": limit,
            "after": after,
        }
        answer = await self._parts.ask(request, who.actor)
        return refusal(answer) or await _json(answer["messages"])

    async def shown(self, who: Looking, id: Id) -> Response:
        """One message: envelope, why it is held, findings, history."""
        answer = await self._parts.ask({"verb": "show", "id": id}, who.actor)
        return refusal(answer) or await _json(answer["message"])

    async def raw(self, who: Looking, id: Id) -> Response:
        """The message's bytes as received."""
        answer = await self._parts.ask({"verb": "raw", "id": id}, who.actor)
        if (refused := refusal(answer)) is not None:
            return refused
        return await _letter(answer, "message.eml")

    def plain(self, verb: str) -> Callable[..., Awaitable[Response]]:
        """A decision that needs nothing but the message."""

        async def decide(who: Acting, id: Id) -> Response:
            return await self._decided({"verb": verb, "id": id}, who)

        return decide

    async def cancel(self, who: Acting, id: Id, body: models.Cancel | None = None) -> Response:
        """Stop it for good, or drop only the named recipients and let the rest go on."""
        return await self._decided({"verb": "cancel", "id": id, "to": body.to if body else []}, who)

    async def edit(self, request: Request, who: Acting, id: Id, body: models.Edit | None = None) -> Response:
        """Stop it and have it back as a draft, to mend it and send it again: in the answer, in base64, or by
        itself where `Accept` is message/rfc822."""
        drafts = body is not None and body.drafts
        answer = await self._parts.ask({"verb": "edit", "id": id, "drafts": drafts}, who.actor)
        if answer.get("content") and request.headers.get("accept", "").strip().lower() == EML:
            return await _letter(answer, "draft.eml")
        return await asyncio.to_thread(outcome, answer)

    async def approve(self, who: Acting, id: Id, body: models.Approve | None = None) -> Response:
        """Approve a message that waits for a second pair of eyes; with its `seal`, this one and no other."""
        return await self._decided({"verb": "approve", "id": id, "seal": body.seal if body else ""}, who)

    async def extend(self, who: Acting, id: Id, body: models.Extend) -> Response:
        """Ask for more time."""
        return await self._decided({"verb": "extend", "id": id, **body.model_dump(exclude_none=True)}, who)

    async def reject(self, who: Acting, id: Id, body: models.Reject) -> Response:
        """Refuse a message that waits for approval; it goes back to its sender with the reason."""
        return await self._decided({"verb": "reject", "id": id, "reason": body.reason}, who)

    async def _decided(self, request: Json, who: Person) -> Response:
        return outcome(await self._parts.ask(request, who.actor))


async def _letter(answer: Json, name: str) -> Response:
    content = await asyncio.to_thread(base64.b64decode, str(answer["content"]))
    # Whatever it is, a browser must not show it as ours.
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox",
    }
    return Response(content, media_type=EML, headers=headers)


async def _json(value: object) -> Response:
    # A long list takes longer to write down than the loop may stand still.
    return await asyncio.to_thread(JSONResponse, value)
