"""The web, joined: one application from the parts that the program gives."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from mailguard.edge.web import api, health, pages, signin
from mailguard.edge.web.fence import Fence
from mailguard.edge.web.parts import Parts
from mailguard.edge.web.people import Forged, SignedOut, next_place
from mailguard.edge.web.rendering import rendered
from mailguard.edge.web.sessions import SignedIn
from mailguard.edge.web.wording import words

API = "/api/"


def build(parts: Parts) -> ASGIApp:
    """Everything that HTTP can ask."""
    app = FastAPI(
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
    app.include_router(signin.router(parts, signed_in))
    app.include_router(pages.router(parts))
    _tell_faults(app, parts)
    return Fence(app, parts)


def _tell_faults(app: FastAPI, parts: Parts) -> None:
    """What is wrong is told as JSON to programs and as a page to people, and never in Python's words."""
    say, language = words(parts.options.language), parts.options.language

    def told(request: Request, status: int, word: str, text: str, shown: str) -> Response:
        if request.url.path.startswith(API):
            return JSONResponse({"told": word, "text": text}, status)
        return rendered("fault.html", status, language=language, text=shown)

    @app.exception_handler(SignedOut)
    async def signed_out(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(API):
            answer = told(request, 401, "refused", "sign in, or bring a token (mailguard login)", "")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        where = next_place(request.url.path) if request.method == "GET" else "/"
        return RedirectResponse("/sign-in" if where == "/" else f"/sign-in?next={where}", 303)

    @app.exception_handler(Forged)
    async def forged(request: Request, error: Exception) -> Response:
        return told(request, 403, "not_yours", "this did not come from a page of ours", say["forged"])

    @app.exception_handler(RequestValidationError)
    async def senseless(request: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        )
        return told(request, 422, "refused", wrong, say["fault"])

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        text = say["no_page"] if error.status_code == 404 else str(error.detail)
        answer = told(request, error.status_code, "refused", str(error.detail), text)
        answer.headers.update(error.headers or {})
        return answer
