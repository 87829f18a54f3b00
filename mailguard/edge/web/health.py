"""How the guard is, for those who watch it."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from mailguard.edge.web.parts import Parts


def router(parts: Parts) -> APIRouter:
    """`/healthz`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def alive() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    return routes
