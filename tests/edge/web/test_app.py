"""The application as a whole: what it leaves to the fence around it."""

import pytest
from starlette.types import Message, Scope

from mailguard.edge.web.app import _Application


async def test_a_fault_is_the_fences_to_tell() -> None:
    """The library would answer first, and the fence could only cut the connection off."""
    app = _Application()

    @app.get("/")
    async def fault() -> None:
        raise ZeroDivisionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(ZeroDivisionError):
        await app(scope, receive, send)
    assert sent == []
