"""Chat rooms are told through apprise; its addresses are secrets."""

import asyncio
import contextlib
import json
import logging
import threading

import pytest

from mailguard.core.errors import NotTold
from mailguard.core.news import Dispatch, Topic
from mailguard.edge.outbound.chat import ChatNotifier
from tests.edge.outbound.receiver import answer, receiving
from tests.making import NOW

CONTENT = json.dumps({"type": "message.flagged", "text": "A mail of a@corp.example is held.\n\udce9 é"})
NEWS = Dispatch(id="k7fm2xqp9d3t-0", target="chat", topic=Topic.FLAGGED, at=NOW, content=CONTENT)


async def test_the_text_arrives() -> None:
    async with receiving(answer(200)) as receiver:
        chat = ChatNotifier(url=f"json://127.0.0.1:{receiver.port}/hunter2")
        await chat.tell(NEWS)
        await chat.close()
        [request] = receiver.requests
    assert request.line.startswith("POST /hunter2")
    assert request.said["title"] == "mailguard"
    assert request.said["message"] == "A mail of a@corp.example is held.\n? é"


async def test_a_service_that_refuses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiving(answer(500, body=b"hunter2")) as receiver:
        chat = ChatNotifier(url=f"json://user:hunter2@127.0.0.1:{receiver.port}/hunter2")
        with pytest.raises(NotTold) as caught:
            await chat.tell(NEWS)
    assert "did not take it" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caplog.text


async def test_a_service_that_hangs_keeps_nobody() -> None:
    async with receiving("hang") as receiver:
        chat = ChatNotifier(url=f"json://127.0.0.1:{receiver.port}/?rto=1", deadline=0.2)
        with pytest.raises(NotTold, match="did not answer in time"):
            await chat.tell(NEWS)
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "chat")
        # The library's own patience ends the thread.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while any(thread.name == "chat" for thread in threading.enumerate()):
                    await asyncio.sleep(0.05)


@pytest.mark.parametrize("url", ["", "nonsense://hunter2", "slack://hunter2", "json://"])
def test_an_address_that_the_library_does_not_know(url: str) -> None:
    with pytest.raises(ValueError, match="is no address that apprise knows") as caught:
        ChatNotifier(url=url)
    assert "hunter2" not in str(caught.value)
