"""Unknown is outside; a surprise is temporary: what cannot be understood is held, and never lost or refused
for good."""

import socketserver
from pathlib import Path

import pytest

from tests import guard as guards
from tests.guard import Guard
from tests.promises.talking import RULES, ask, hand_in, letter, shown, until
from tests.serving import serving

# Like inside at the first glance.
STRANGERS = (
    "boss@corp.example.evil.example",
    '"boss@corp.example"@evil.example',
    "boss@sub.corp.example",
    "boss@corp-example",
    "boss@[127.0.0.1]",
)
# Nobody knows what is in these.
UNREADABLE = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: multipart/mixed;"
    b" boundary=b\r\n\r\n" * 3000,
    b"Content-Type: text/plain; charset=no-such\r\nContent-Transfer-Encoding: \xff\r\n\r\n\xff\xfe\r\n",
    b"\xff\xfe no header at all \x00\r\n",
)


@pytest.mark.parametrize("address", STRANGERS)
def test_what_only_looks_like_inside_is_outside(guard: Guard, address: str) -> None:
    message = shown(guard, hand_in(guard, letter("hm"), address).id)
    # One that could be mistaken for ours waits for its sender's yes.
    assert message["state"] in ("held", "confirm")
    assert [one["external"] for one in message["recipients"]] == [True]


@pytest.mark.parametrize("content", UNREADABLE)
def test_what_cannot_be_read_is_held_as_it_is(guard: Guard, content: bytes) -> None:
    promise = hand_in(guard, content, "b@client.example")
    assert shown(guard, promise.id)["state"] in ("held", "confirm")
    assert guard.raw(promise.id) == content


class _Nonsense(socketserver.StreamRequestHandler):
    """An upstream that has gone mad."""

    def handle(self) -> None:
        self.wfile.write(b"220 hello\r\n")
        while self.rfile.readline():
            self.wfile.write(b"999 Traceback (most recent call last):\r\n\xff\xff\r\n")


def test_an_upstream_that_makes_no_sense_is_tried_again(tmp_path: Path) -> None:
    with (
        serving(_Nonsense) as port,
        guards.running(tmp_path, guards.smtp_upstream(port), rules=RULES) as guard,
    ):
        promise = hand_in(guard, letter("patience"), "b@now.example")
        until(lambda: shown(guard, promise.id)["recipients"][0]["state"] == "deferred")
        assert shown(guard, promise.id)["state"] == "queued"
        # And whoever is asked something strange answers, and goes on.
        assert ask(guard, "extend", promise.id, by_seconds=float("1e300"))["told"] == "refused"
        assert ask(guard, "no such verb")["told"] == "refused"
