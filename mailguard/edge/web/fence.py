"""What stands before every request: which host it names, how large and how slow it may be, which headers its
answer has, and what a fault of ours looks like from outside."""

import asyncio
import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailguard.edge.web.parts import Parts

# How the guard is may be asked by whatever name a monitor knows it.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})
# The one request that brings a whole message, in base64 and JSON.
LARGE = "/api/v1/try"
MOST_LARGE = 2

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " font-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers say "Origin: null" even to ourselves (Fetch, "serializing a request origin").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


class TurnedAway(Exception):
    """A request that gets no further; `status` and `text` are its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Fence:
    """ASGI around ASGI. A header that an answer sets itself is left as it is."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._large = asyncio.Semaphore(MOST_LARGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = _Answer(send, secure=self._parts.options.secure)
        try:
            self._welcome(scope)
            if scope["path"] == LARGE:
                async with self._large:
                    await self._pass(scope, receive, answer)
            else:
                await self._pass(scope, receive, answer)
        except TurnedAway as error:
            await answer.plain(error.status, error.text, scope)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the caller gets an answer
            incident = secrets.token_hex(4)
            # What an exception says may hold what a person wrote; its kind and place do not.
            self._parts.log.trouble(
                "web_fault",
                incident=incident,
                method=scope["method"],
                fault=type(error).__name__,
                at=_place(error),
            )
            await answer.plain(500, f"A fault of ours. The log has more about incident {incident}.", scope)

    async def _pass(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        body = await self._whole(scope, receive)
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, answer.send)

    def _welcome(self, scope: Scope) -> None:
        """The names by which we may be called: with another one, a strange page plays us (DNS rebinding)."""
        named = [value for key, value in scope["headers"] if key == b"host"]
        if scope["path"] in ANY_HOST:
            return
        if len(named) != 1 or _host(named[0]) not in self._parts.options.hosts:
            raise TurnedAway(421, "Nobody of this name is here; public_url in mailguard.toml tells the name.")

    async def _whole(self, scope: Scope, receive: Receive) -> bytes:
        """The request's body, within bounds of size and time. Raises TurnedAway."""
        options = self._parts.options
        most = options.largest_body + (options.largest_message * 4 // 3 if scope["path"] == LARGE else 0)
        declared = Headers(scope=scope).get("content-length", "0")
        if not (declared.isascii() and declared.isdecimal() and int(declared) <= most):
            raise TurnedAway(413, f"The request is larger than {most} bytes.")
        parts, size = list[bytes](), 0
        try:
            async with asyncio.timeout(options.slowest_request):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise TurnedAway(400, "The request was cut off.")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise TurnedAway(413, f"The request is larger than {most} bytes.")
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise TurnedAway(408, "The request took too long.") from None


class _Answer:
    """Sends an answer with the headers that every answer has."""

    def __init__(self, send: Send, *, secure: bool) -> None:
        self._send = send
        self._begun = False
        self._secure = secure

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """ASGI's send."""
        if message["type"] == "http.response.start":
            self._begun = True
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._secure:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await self._send(message)

    async def plain(self, status: int, text: str, scope: Scope) -> None:
        """A short answer of our own; where one has begun already, it ends in the middle."""
        if self._begun:
            raise ConnectionAbortedError
        told = "fault" if status >= 500 else "refused"
        api = scope["path"].startswith("/api/")
        answer = (
            JSONResponse({"told": told, "text": text}, status) if api else PlainTextResponse(text, status)
        )
        # What of the request was not read must not be taken for the next one.
        answer.headers["Connection"] = "close"

        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        await answer(scope, nothing, self.send)


def _host(header: bytes) -> str:
    """The name in a Host header, without the port; "" where it is none."""
    text = header.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0] if "]" in text else ""
    return text.partition(":")[0]


def _place(error: Exception) -> str:
    """Where an exception came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
