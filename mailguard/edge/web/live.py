"""Tells an open page, as long as it is open, that something of its reader's has changed (server-sent events).

Never what: the page asks for itself again. An open page costs a connection and an entry in a set.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from mailguard.core.hold import HeldMessage
from mailguard.edge.web.parts import Parts, Person
from mailguard.edge.web.people import person

# A proxy that hears nothing for a minute closes the connection; a line nobody reads keeps it.
HEARTBEAT = 20.0
# A session may have ended meanwhile: the browser comes back by itself, and is asked again who it is.
LONGEST = 900.0
# Pages that may be open at once, in all and of one person; more do without.
MOST_OPEN = 800
MOST_OF_ONE = 12
# How soon a browser comes back, in milliseconds.
RETRY = b"retry: 3000\n\n"


class Live:
    """The open pages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: dict[str, int] = {}

    def router(self) -> APIRouter:
        """`/live`."""
        routes = APIRouter(include_in_schema=False)

        @routes.get("/live")
        async def live(who: Annotated[Person, Depends(person)]) -> Response:
            name = who.actor.name
            if self._open.get(name, 0) >= MOST_OF_ONE or sum(self._open.values()) >= MOST_OPEN:
                return Response(status_code=503, headers={"Retry-After": "30"})
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            return StreamingResponse(self._events(who, name), media_type="text/event-stream", headers=headers)

        return routes

    async def _events(self, who: Person, name: str) -> AsyncIterator[bytes]:
        self._open[name] = self._open.get(name, 0) + 1
        closing = asyncio.create_task(self._parts.closing.wait())
        clock = self._parts.clock
        until = clock.monotonic() + LONGEST
        try:
            with self._parts.changes.watched(lambda message: _concerns(who, message)) as watcher:
                yield RETRY
                while clock.monotonic() < until:
                    waiting = asyncio.create_task(watcher.wait(HEARTBEAT))
                    try:
                        await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        waiting.cancel()
                    if closing.done():
                        return
                    yield b"event: changed\ndata:\n\n" if waiting.result() else b":\n\n"
        finally:
            closing.cancel()
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]


def _concerns(who: Person, message: HeldMessage) -> bool:
    return who.actor.may_act_on(message) or who.actor.may_approve(message)
