"""The web, joined: one application from the parts that the program gives."""

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp

from mailguard.edge.web import api, api_access, health, links_pages, pages, signin
from mailguard.edge.web.faults import Faults
from mailguard.edge.web.fence import Fence
from mailguard.edge.web.parts import Parts
from mailguard.edge.web.sessions import SignedIn


class _Application(FastAPI):
    """A fault goes on to the fence, which has the words for it; the library would answer it first."""

    def build_middleware_stack(self) -> ASGIApp:
        """Without what answers faults."""
        stack = super().build_middleware_stack()
        return stack.app if isinstance(stack, ServerErrorMiddleware) else stack


def build(parts: Parts) -> ASGIApp:
    """Everything that HTTP can ask."""
    app = _Application(
        title="mailguard",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
    )
    signed_in = SignedIn(parts)
    app.state.parts, app.state.signed_in = parts, signed_in
    app.include_router(health.router(parts))
    app.include_router(api.router(parts))
    app.include_router(api_access.router(parts))
    app.include_router(signin.router(parts, signed_in))
    app.include_router(links_pages.router(parts))
    app.include_router(pages.router(parts))
    Faults(parts).told_by(app)
    return Fence(app, parts)
