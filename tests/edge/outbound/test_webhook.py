"""A webhook is signed as the standard has it, and nothing that the other side does hurts."""

import asyncio
import base64
import logging
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mailguard.core.errors import NotTold
from mailguard.core.news import Dispatch, Topic
from mailguard.edge.outbound.webhook import WebhookNotifier, key, signature
from tests.edge.outbound.receiver import SECRET, Receiver, answer, receiving
from tests.making import NOW

NEWS = Dispatch(
    id="k7fm2xqp9d3t-0",
    target="ops",
    topic=Topic.FLAGGED,
    at=NOW,
    content='{"type": "message.flagged", "text": "caf\\u00e9"}',
)


@asynccontextmanager
async def notifier(url: str, deadline: float = 5) -> AsyncIterator[WebhookNotifier]:
    made = WebhookNotifier(url=url, secret=SECRET, now=lambda: NOW, deadline=deadline)
    try:
        yield made
    finally:
        await made.close()


async def fault(receiver: Receiver, deadline: float = 5) -> NotTold:
    """How it fails there."""
    async with notifier(receiver.url("/hook?token=hunter2"), deadline) as hook:
        with pytest.raises(NotTold) as caught:
            await hook.tell(NEWS)
    assert "hunter2" not in str(caught.value)
    return caught.value


async def test_no_address_gets_into_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiving(answer(500)) as receiver:
        await fault(receiver)
    assert "hunter2" not in caplog.text


async def test_what_is_sent_is_json_and_signed() -> None:
    async with receiving() as receiver, notifier(receiver.url("/hook?a=b")) as hook:
        await hook.tell(NEWS)
        [request] = receiver.requests
    assert request.line == "POST /hook?a=b HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == NEWS.id
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert request.said == {"type": "message.flagged", "text": "café"}
    assert request.signed_with(SECRET)
    assert not request.signed_with("whsec_" + base64.b64encode(b"another key, as long").decode())


def test_the_example_of_the_standard_has_the_standards_signature() -> None:
    # Of the specification, section "Signature scheme": made with openssl, not with this code.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    told = signature(key(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503, 301, 302, 307])
async def test_what_is_no_yes_is_to_be_tried_again(status: int) -> None:
    async with receiving(answer(status, "Location: http://127.0.0.1:1/", body=b"hunter2")) as receiver:
        told = await fault(receiver)
        assert str(told) == f"http://127.0.0.1:{receiver.port} answered {status}"
        assert not told.final
        assert len(receiver.requests) == 1


async def test_a_redirect_leads_nowhere() -> None:
    async with receiving() as other, receiving(answer(307, f"Location: {other.url()}")) as receiver:
        await fault(receiver)
        assert other.requests == []


async def test_gone_is_final() -> None:
    async with receiving(answer(410)) as receiver:
        assert (await fault(receiver)).final


async def test_a_silent_service_is_waited_for_so_long_and_no_longer() -> None:
    async with receiving("hang") as receiver:
        begun = time.monotonic()
        told = await fault(receiver, deadline=0.3)
        assert time.monotonic() - begun < 3
        assert str(told).endswith("did not answer in time")


async def test_a_service_that_hangs_up_or_speaks_something_else() -> None:
    async with receiving("hang up", b"SSH-2.0-OpenSSH\r\n\r\n") as receiver:
        assert "cannot be reached" in str(await fault(receiver))
        assert "cannot be reached" in str(await fault(receiver))


async def test_an_answer_without_an_end_is_not_read() -> None:
    async with receiving("endless") as receiver, notifier(receiver.url()) as hook:
        begun = time.monotonic()
        await hook.tell(NEWS)
        assert time.monotonic() - begun < 3


async def test_a_header_without_an_end_is_not_read_either() -> None:
    async with receiving(b"HTTP/1.1 200 x\r\nA: " + b"x" * 1_000_000) as receiver:
        assert "cannot be reached" in str(await fault(receiver))


async def test_nobody_is_there() -> None:
    async with receiving() as receiver:
        await receiver.stop()
        assert str(await fault(receiver)).startswith(f"http://127.0.0.1:{receiver.port} cannot be reached")


async def test_a_certificate_that_nobody_vouches_for() -> None:
    async with notifier("https://127.0.0.1:1/hook") as hook:
        context = ssl.create_default_context()
        assert context.verify_mode is ssl.CERT_REQUIRED
        with pytest.raises(NotTold, match="cannot be reached"):
            await hook.tell(NEWS)


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with receiving() as receiver, notifier(receiver.url()) as hook:
        await hook.tell(NEWS)
        assert len(receiver.requests) == 1


async def test_a_name_server_that_does_not_answer_keeps_no_thread_of_the_mails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_now = threading.Event()
    asked = socket.getaddrinfo

    def silent(host: str, *rest: Any, **more: Any) -> Any:
        if host == "hooks.example":
            answer_now.wait(30)
        return asked(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    async with notifier("https://hooks.example/", deadline=0.2) as hook:
        try:
            told = await asyncio.gather(*(hook.tell(NEWS) for _ in range(40)), return_exceptions=True)
            assert {str(one) for one in told} == {"https://hooks.example did not answer in time"}
            async with asyncio.timeout(5):
                await asyncio.to_thread(int)
        finally:
            answer_now.set()
