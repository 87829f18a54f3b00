"""At least once, and once but for the known window: a second copy exists only where nobody could know of the
first, it has the same Message-ID, and the history says so."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import guard as guards
from tests.promises.talking import RULES, hand_in, kill, letter, shown, until
from tests.serving import serving
from tests.sink import Sink


@dataclass
class _Mute:
    """An upstream that takes the message and then is slow to say so; `got` is what it has."""

    port: int = 0
    got: list[bytes] = field(default_factory=list)
    speaks: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _mute() -> Iterator[_Mute]:
    mute = _Mute()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mute.test\r\n")
            while line := self.rfile.readline():
                if line.strip().upper() == b"DATA":
                    self.wfile.write(b"354 Go on\r\n")
                    mute.got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    mute.speaks.wait(30)
                self.wfile.write(b"250 Ok\r\n")

    with serving(Session) as mute.port:
        try:
            yield mute
        finally:
            mute.speaks.set()


def test_killed_between_the_dot_and_its_answer_it_tries_again_and_says_so(tmp_path: Path) -> None:
    content = b"Message-ID: <only@corp.example>\r\n" + letter("the window")
    with _mute() as upstream:
        guard = guards.configured(tmp_path, guards.smtp_upstream(upstream.port), rules=RULES)
        guard.start()
        promise = hand_in(guard, content, "b@now.example")
        until(lambda: upstream.got)
        kill(guard)
        upstream.speaks.set()
        guard.start()
        try:
            until(lambda: shown(guard, promise.id)["state"] == "sent")
            events = shown(guard, promise.id)["events"]
        finally:
            guard.stop()
    assert [re.findall(rb"Message-ID: (\S+)", copy) for copy in upstream.got] == [
        [b"<only@corp.example>"]
    ] * 2
    assert ["b@now.example"] in [event.get("may_arrive_twice") for event in map(_flat, events)]


def _flat(event: dict[str, object]) -> dict[str, object]:
    detail = event.get("detail")
    return {**event, **(detail if isinstance(detail, dict) else {})}


def test_what_has_left_never_leaves_again(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), rules=RULES)
    guard.start()
    promises = [hand_in(guard, letter(f"once {n}"), f"once{n}@now.example") for n in range(10)]
    until(lambda: all(shown(guard, one.id)["state"] == "sent" for one in promises))
    kill(guard)
    guard.start()
    try:
        # A later message has passed: whatever was to be tried again would have been before it.
        hand_in(guard, letter("last"), "last-of-them@now.example")
        sink.wait(lambda delivery: "last-of-them@now.example" in delivery.recipients)
        arrived = [one for delivery in list(sink.deliveries) for one in delivery.recipients]
        assert [arrived.count(f"once{n}@now.example") for n in range(10)] == [1] * 10
    finally:
        guard.stop()
