"""The server inside the guard: it starts and ends with it, says what is wrong with its port, and knows whom
it speaks with."""

import asyncio
import ipaddress
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mailguard.edge.web.parts import WebOptions
from mailguard.edge.web.server import WebServer, listening
from tests import guard as guards
from tests.edge.web.parts import MAILDIR, configured, page
from tests.guard import LOGIN, Guard


def test_alive(guard: Guard) -> None:
    with page(guard) as monitor:
        assert monitor.get("/healthz").text == "alive\n"
        assert guard.ask("status")["listeners"]["page"] == [f"http://127.0.0.1:{guard.web_port}"]


def test_the_signals_stay_the_guards(tmp_path: Path) -> None:
    """A second SIGTERM, and one beside an open connection, end it as cleanly as ever."""
    guard = configured(tmp_path)
    guard.start()
    assert guard.process
    with socket.create_connection(("127.0.0.1", guard.web_port)) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\n")
        guard.process.send_signal(signal.SIGHUP)
        began = time.monotonic()
        assert guard.stop() == 0, guard.log()
        assert time.monotonic() - began < 10


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, MAILDIR, web="\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", guard.web_port))
        taken.listen()
        refused = guard.verb("serve")
    assert refused.returncode == 2
    assert f"127.0.0.1:{guard.web_port}: web.listen: cannot serve the page there" in refused.stderr


def opened(guard: Guard, count: int, begin: bytes = b"") -> list[socket.socket]:
    """So many connections, each with the beginning of a request."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    made = []
    for _ in range(count):
        made.append(socket.create_connection(("127.0.0.1", guard.web_port), timeout=10))
        made[-1].sendall(begin)
    return made


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nlogin=",
    ],
    ids=["silent", "half a head", "half a body"],
)
def test_a_thousand_who_do_not_get_done_keep_nobody_out(guard: Guard, begin: bytes) -> None:
    crowd = opened(guard, 1100, begin)
    try:
        for _ in range(5):
            began = time.monotonic()
            with page(guard) as somebody:
                assert somebody.get("/healthz").text == "alive\n"
                assert somebody.get("/sign-in").status_code == 200
            assert time.monotonic() - began < 8
        # The oldest of them made room, and the guard has no more of them than it has places.
        assert len(list(Path(f"/proc/{guard.pid}/fd").iterdir())) < 1100
    finally:
        for one in crowd:
            one.close()


class Drip:
    """A client that sends one byte after the other; `ended` is after how many seconds it was cut."""

    def __init__(self, port: int, begin: bytes, byte: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(begin)
        self._socket.settimeout(0.2)
        self._byte = byte
        self._began = time.monotonic()
        self.answer = b""
        self.ended: float | None = None

    def go_on(self) -> None:
        if self.ended is not None:
            return
        try:
            self._socket.sendall(self._byte)
            got = self._socket.recv(1000)
            self.answer += got
        except TimeoutError:
            return
        except OSError:
            got = b""
        if not got:
            self.ended = time.monotonic() - self._began
            self._socket.close()


HEAD_IN_DRIPS = (b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x")
BODY_IN_DRIPS = (b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", b"x")


@pytest.mark.slow
def test_who_asks_in_drips_is_cut(guard: Guard) -> None:
    drips = [Drip(guard.web_port, *how) for how in (HEAD_IN_DRIPS, BODY_IN_DRIPS)]
    deadline = time.monotonic() + 60
    while any(one.ended is None for one in drips):
        assert time.monotonic() < deadline, "slow clients are not cut"
        for one in drips:
            one.go_on()
    head, body = drips
    assert head.ended and 18 < head.ended < 40
    assert body.ended and 18 < body.ended < 40
    assert head.answer == b""
    assert body.answer.startswith(b"HTTP/1.1 408 ")


async def test_a_head_in_drips_is_cut_when_its_time_is_over() -> None:
    port = listening("127.0.0.1", 0)
    server = WebServer(_who, port, options(slowest_request=0.3))
    server.start()
    try:
        drip = Drip(port.getsockname()[1], *HEAD_IN_DRIPS)
        async with asyncio.timeout(20):
            while drip.ended is None:
                await asyncio.to_thread(drip.go_on)
        assert drip.answer == b""
    finally:
        await server.close()


def options(**more: Any) -> WebOptions:
    """Of a server without a guard."""
    names = {"hostname": "guard.corp.example", "language": "en", "listen": "[::]:0"}
    return WebOptions(public_url="https://guard.corp.example", **{**names, **more})


def wrong_password(guard: Guard, forwarded: str) -> None:
    """Somebody guesses, with this X-Forwarded-For."""
    with page(guard, headers={"X-Forwarded-For": forwarded}) as browser:
        data = {"login": LOGIN, "password": "a guess"}
        assert browser.post("/sign-in", data=data).status_code in (403, 429)


def test_behind_a_proxy_of_ours_the_client_counts(guard: Guard) -> None:
    """What a client itself put into the header stands to the left of what the proxy has seen."""
    wrong_password(guard, "198.51.100.1, 203.0.113.9")
    wrong_password(guard, "2001:db8:1:2:3:4:5:6")
    log = guard.log()
    assert "peer=203.0.113.9" in log
    assert "peer=2001:db8:1:2::/64" in log
    assert "198.51.100.1" not in log


def test_of_everybody_else_the_header_is_not_believed(tmp_path: Path) -> None:
    guard = configured(tmp_path, web='trusted_proxies = ["192.0.2.1"]\nmonitors = ["203.0.113.9"]\n')
    guard.start()
    try:
        wrong_password(guard, "203.0.113.9")
        with page(guard, headers={"X-Forwarded-For": "203.0.113.9"}) as spoofing:
            assert spoofing.get("/metrics").status_code == 403
    finally:
        assert guard.stop() == 0
    assert "peer=127.0.0.1" in guard.log()
    assert "203.0.113.9" not in guard.log()


async def _who(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{scope['scheme']} {scope['client'][0]}")(scope, receive, send)


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [("127.0.0.0/8", "https 203.0.113.9"), ("192.0.2.0/24", "http ::ffff:127.0.0.1")],
)
async def test_a_proxy_of_ipv4_on_a_port_of_ipv6(proxies: str, seen: str) -> None:
    port = listening("::", 0)
    server = WebServer(_who, port, options(trusted_proxies=(ipaddress.ip_network(proxies),)))
    server.start()
    try:
        async with httpx2.AsyncClient(timeout=30) as client:
            headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
            answer = await client.get(f"http://127.0.0.1:{port.getsockname()[1]}/", headers=headers)
        assert answer.text == seen
    finally:
        await server.close()
