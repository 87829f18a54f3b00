"""How the guard is, for those who watch it: alive, fit to take mail, and in numbers."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from mailguard.core.actor import ADMIN
from mailguard.core.network import plain
from mailguard.edge.web.metrics import Snapshot, text_of
from mailguard.edge.web.parts import Parts
from mailguard.edge.web.people import SignedOut, looking

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Whoever watches gives up before long, and wants to hear that the store does not answer.
STORE_ANSWERS_WITHIN = 4.0


def router(parts: Parts) -> APIRouter:
    """`/healthz`, `/readyz`, `/metrics`."""
    routes, health = APIRouter(include_in_schema=False), _Health(parts)
    routes.add_api_route("/healthz", health.alive, methods=["GET"])
    routes.add_api_route("/readyz", health.ready, methods=["GET"])
    routes.add_api_route("/metrics", health.metrics, methods=["GET"])
    return routes


class _Health:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def alive(self) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(self, request: Request) -> Response:
        """Whether mail is taken, for everybody; for who may watch, what is not as it should be as well, also
        where mail is taken all the same."""
        status, _ = await self._status()
        ready, reasons = False, ["the store does not answer"]
        if self._parts.closing.is_set():
            reasons = ["the guard is stopping"]
        elif status is not None:
            ready, reasons = not status.get("refusing"), _reasons(status)
        told: dict[str, object] = {"ready": ready}
        if await self._may_watch(request):
            told["reasons"] = reasons
        return JSONResponse(told, 200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """Counts and times, for who may watch."""
        if not await self._may_watch(request):
            return PlainTextResponse("not from here; see [web] monitors in mailguard.toml\n", 403)
        status, seconds = await self._status()
        snapshot = Snapshot(status, self._parts.counts, self._parts.clock.now(), seconds)
        return Response(await asyncio.to_thread(text_of, snapshot), media_type=CONTENT_TYPE)

    async def _status(self) -> tuple[Mapping[str, Any] | None, float]:
        """What `status` answers, and after how long; None where the store did not."""
        began = self._parts.clock.monotonic()
        try:
            async with asyncio.timeout(STORE_ANSWERS_WITHIN):
                answer = await self._parts.ask({"verb": "status"}, ADMIN)
        except TimeoutError:
            answer = {}
        found = cast("Mapping[str, Any] | None", answer.get("status"))
        return found, self._parts.clock.monotonic() - began

    async def _may_watch(self, request: Request) -> bool:
        """From the networks of the monitors, or with an admin's token or session."""
        try:
            address = plain(request.client.host if request.client else "")
        except ValueError:
            return False
        if any(address in network for network in self._parts.options.monitors):
            return True
        try:
            return (await looking(request)).actor.admin
        except SignedOut:
            return False


def _reasons(status: Mapping[str, Any]) -> list[str]:
    """Why it is not as it should be."""
    broken = [f"the rules file is not in force: {error}" for error in status["reload_errors"]]
    return [*broken, *(str(one) for one in status.get("troubles", ()))]
