"""The guard as it is started and stopped, with an upstream that is down, deaf, or easy to fool."""

import contextlib
import re
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests import sink as sinks
from tests.guard import SENDER, Guard, Message
from tests.programs import free_port
from tests.slices import rounds

TO = "boss@corp.example"


class Doorman:
    """Takes connections, says `greeting`, and hangs up, or says nothing more where it stays."""

    def __init__(self, greeting: bytes, *, stays: bool = False) -> None:
        self.connections = 0
        self._greeting = greeting
        self._stays = stays
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                client.sendall(self._greeting)
                if self._stays:
                    self._open.append(client)
                else:
                    client.close()

    def close(self) -> None:
        """Nobody listens any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._open:
            client.close()
        self._thread.join()


@contextlib.contextmanager
def doorman(greeting: bytes, *, stays: bool = False) -> Iterator[Doorman]:
    """For as long as the context lasts."""
    made = Doorman(greeting, stays=stays)
    try:
        yield made
    finally:
        made.close()


def send(guard: Guard, count: int) -> None:
    """So many messages that leave at once."""
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as client:
        for number in range(count):
            client.sendmail(SENDER, [TO], f"From: {SENDER}\r\nSubject: {number}\r\n\r\nx\r\n".encode())


def deferred(guard: Guard, count: int, timeout: float) -> list[Message]:
    """All messages, as soon as so many of them wait for a next try."""
    deadline = time.monotonic() + timeout
    while True:
        found = [m for m in guard.ask("queue") if m["recipients"][0]["state"] == "deferred"]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {count} are deferred\n{guard.log()[-3000:]}"
        time.sleep(0.3)


def _storm(directory: Path, count: int) -> None:
    with doorman(b"421 4.3.2 down for the night\r\n") as upstream:
        begun = time.monotonic()
        with guards.running(directory, guards.smtp_upstream(upstream.port)) as guard:
            send(guard, count)
            found = deferred(guard, min(count, 200), timeout=60)
            spent = time.monotonic() - begun
            asked = upstream.connections
    # Ten at once may be surprised by it; after that one asks for all, every five seconds at most.
    assert asked <= 10 + spent / 5 + 1, f"{asked} connections in {spent:.0f} s"
    for message in found:
        [one] = message["recipients"]
        assert "421 4.3.2 down for the night" in one["reply"]
        assert one["next_try_at"]


def test_many_messages_do_not_storm_an_upstream_that_is_down(tmp_path: Path) -> None:
    _storm(tmp_path, 60)


@pytest.mark.slow
def test_a_thousand_messages_do_not_storm_it_either(tmp_path: Path) -> None:
    _storm(tmp_path, rounds(1000, slice_of=300))


def test_an_upstream_that_is_down_is_no_reason_not_to_start(tmp_path: Path) -> None:
    with guards.running(tmp_path, guards.smtp_upstream(free_port())) as guard:
        send(guard, 1)
        [message] = deferred(guard, 1, timeout=15)
        shown = guard.verb("show", str(message["id"])).stdout
    assert message["state"] == "queued"
    assert "No session with 127.0.0.1" in shown
    assert re.search(r"next_try=\d{4}-\d\d-\d\dT", shown)


def test_nothing_but_whole_line_ends_leaves(tmp_path: Path) -> None:
    """A lone CR or LF could be the end of the message to a server behind: what smuggling rests on."""
    body = b"one\ntwo\rthree\n.\nMAIL FROM:<evil@x>\r.\r\n.\rfour\r\n..five\r\n"
    with (
        sinks.running() as sink,
        guards.running(tmp_path, guards.smtp_upstream(sink.port), smtp='bare_newline = "normalize"') as guard,
        socket.create_connection(("127.0.0.1", guard.port), 10) as client,
    ):
        reader = client.makefile("rb")
        reader.readline()
        for line in (b"HELO me", f"MAIL FROM:<{SENDER}>".encode(), f"RCPT TO:<{TO}>".encode(), b"DATA"):
            client.sendall(line + b"\r\n")
            reader.readline()
        client.sendall(b"Subject: s\r\n\r\n" + body + b".\r\n")
        assert reader.readline().startswith(b"250 ")
        delivery = sink.wait(lambda one: one.sender == SENDER)
        time.sleep(0.2)
        assert len(sink.deliveries) == 1
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", delivery.content)
    assert b"\r\nMAIL FROM:<evil@x>\r\n" in delivery.content


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_stop_in_mid_session_tells_nobody_that_it_may_have_arrived(tmp_path: Path) -> None:
    with doorman(b"220 silent.test\r\n", stays=True) as upstream:
        guard = guards.configured(tmp_path, guards.smtp_upstream(upstream.port))
        guard.start()
        send(guard, 3)
        guard.wait_for(lambda message: message["state"] == "relaying")
        assert guard.stop() == 0
    guard.start()
    events = str([guard.ask("show", message["id"])["events"] for message in guard.ask("queue")])
    assert guard.stop() == 0
    assert events.count("not_offered") == 3
    assert "may_arrive_twice" not in events
