"""What stands before every request."""

import socket

import pytest

from tests.edge.web.parts import page
from tests.guard import Guard


def test_every_answer_has_the_headers(guard: Guard) -> None:
    with page(guard) as browser:
        for path in ("/", "/sign-in", "/healthz", "/api/v1/messages", "/none"):
            headers = browser.get(path).headers
            assert "script-src 'self';" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "guard.corp.example"])
def test_a_page_that_plays_us_is_turned_away(guard: Guard, name: str) -> None:
    with page(guard) as browser:
        assert browser.get("/sign-in", headers={"Host": name}).status_code == 421
        assert browser.get("/healthz", headers={"Host": name}).status_code == 200


def test_a_request_is_bounded(guard: Guard) -> None:
    with page(guard) as browser:
        assert browser.post("/sign-in", content=b"x" * 70_000).status_code == 413
        chunks = (b"x" * 1000 for _ in range(100))
        assert browser.post("/sign-in", content=chunks).status_code == 413


def test_a_page_that_is_not_there(guard: Guard) -> None:
    with page(guard) as browser:
        assert browser.get("/none").status_code == 404
        assert browser.get("/api/v1/none").json() == {"told": "refused", "text": "Not Found"}
        assert browser.request("BREW", "/sign-in").status_code == 405
        for odd in ("/..%2f..%2fetc/passwd", "//evil.example/", "/static/../app.py", "/%00"):
            with socket.create_connection(("127.0.0.1", guard.web_port), timeout=10) as raw:
                raw.sendall(f"GET {odd} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                assert raw.recv(100).split()[1] in (b"404", b"400"), odd
