"""What is wrong with a request, told as JSON to programs and as a page to people, never in Python's words."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from mailguard.core.errors import StoreError
from mailguard.edge.web.answering import RETRY_AFTER
from mailguard.edge.web.parts import Parts
from mailguard.edge.web.people import Forged, OutOfReach, SignedOut, language_asked, next_place
from mailguard.edge.web.rendering import rendered
from mailguard.edge.web.wording import words

API = "/api/"


class Faults:
    """In the language that the browser asks for: who asks may be unknown."""

    def __init__(self, parts: Parts) -> None:
        self._language = parts.options.language

    def told_by(self, app: FastAPI) -> None:
        """From here on the application tells them so."""
        for kind, teller in (
            (SignedOut, self._signed_out),
            (Forged, self._forged),
            (OutOfReach, self._out_of_reach),
            (StoreError, self._not_now),
            (RequestValidationError, self._senseless),
            (HTTPException, self._plain),
        ):
            app.add_exception_handler(kind, teller)

    def _told(self, request: Request, status: int, word: str, text: str, shown: str) -> Response:
        if request.url.path.startswith(API):
            return JSONResponse({"told": word, "text": text}, status)
        language = language_asked(request, self._language)
        return rendered("fault.html", status, language=language, text=words(language).get(shown, shown))

    async def _signed_out(self, request: Request, _: Exception) -> Response:
        if request.url.path.startswith(API):
            answer = self._told(request, 401, "refused", "sign in, or show a token (mailguard login)", "")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        query = f"?{request.url.query}" if request.url.query else ""
        where = next_place(request.url.path + query) if request.method == "GET" else "/"
        return RedirectResponse("/sign-in" if where == "/" else f"/sign-in?next={quote(where)}", 303)

    async def _forged(self, request: Request, _: Exception) -> Response:
        text = "this did not come from a page of ours"
        return self._told(request, 403, "not_yours", text, "forged")

    async def _out_of_reach(self, request: Request, _: Exception) -> Response:
        return self._told(request, 403, "not_yours", "this token may only look", "fault")

    async def _not_now(self, request: Request, error: Exception) -> Response:
        answer = self._told(request, 503, "try_later", str(error), "not_now")
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer

    async def _senseless(self, request: Request, error: Exception) -> Response:
        # What was given is not repeated: it may be a password.
        told = error.errors() if isinstance(error, RequestValidationError) else ()
        wrong = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in told)
        return self._told(request, 422, "refused", wrong, "fault")

    async def _plain(self, request: Request, error: Exception) -> Response:
        status, detail, headers = 400, "that cannot be read", None
        if isinstance(error, HTTPException):
            status, detail, headers = error.status_code, str(error.detail), error.headers
        shown = "no_page" if status == 404 else "fault"
        answer = self._told(request, status, "refused", detail, shown)
        answer.headers.update(headers or {})
        return answer
