"""No file can be opened any more: sessions go on, nobody spins, somebody is told, and it passes by."""

import contextlib
import os
import resource
import smtplib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests import sink as sinks
from tests.faults.injecting import (
    ask,
    assert_no_python_in_the_log,
    request,
    state_of,
    taken,
    troubles,
    wait_for_state,
)
from tests.guard import Guard

FEW = 8
# CPU seconds in so many seconds of a guard that has nothing to do but to turn clients away.
WATCHED, IDLE = 3.0, 1.0


def open_files(guard: Guard) -> int:
    assert guard.process
    return len(os.listdir(f"/proc/{guard.process.pid}/fd"))


def cpu_seconds(guard: Guard) -> float:
    assert guard.process
    fields = Path(f"/proc/{guard.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def allowed(guard: Guard, files: int) -> Iterator[None]:
    """The guard may open so many files, until the context ends."""
    assert guard.process
    before = resource.prlimit(guard.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(guard.process.pid, resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        yield
    finally:
        resource.prlimit(guard.process.pid, resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def clients(guard: Guard, count: int) -> Iterator[list[socket.socket]]:
    """So many that connect, and say nothing."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", guard.port), timeout=10))
            for _ in range(count)
        ]


@pytest.mark.slow
def test_no_file_is_left_for_one_more_client(tmp_path: Path) -> None:
    with (
        sinks.running() as sink,
        guards.running(tmp_path, guards.smtp_upstream(sink.port)) as guard,
        smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as session,
    ):
        session.ehlo()
        held = taken(guard, "held")
        # The socket of the last client may still be open.
        time.sleep(0.5)
        base = open_files(guard)
        with allowed(guard, base + FEW), clients(guard, 40) as idle:
            greeted = [client for client in idle if client.recv(3) == b"220"]
            assert 0 < len(greeted) <= FEW
            before = cpu_seconds(guard)
            time.sleep(WATCHED)
            assert cpu_seconds(guard) - before < IDLE
            # Who is in goes on; the store has all the files that it needs.
            session.sendmail("alice@corp.example", ["b@customer.example"], "Subject: inside\r\n\r\nhi\r\n")
            deadline = time.monotonic() + 20
            while "open_files_exhausted" not in guard.log():
                assert time.monotonic() < deadline, guard.log()
                time.sleep(0.2)
        deadline = time.monotonic() + 20
        while open_files(guard) > base or troubles(guard):
            assert time.monotonic() < deadline, guard.log()
            time.sleep(0.2)
        assert "open_files_enough" in guard.log()
        assert state_of(guard, taken(guard, "after")) == "held"
        assert ask(guard, "release", held) == "done"
        wait_for_state(guard, held, "sent")
        assert_no_python_in_the_log(guard)


@pytest.mark.slow
def test_no_file_is_left_for_the_way_out(tmp_path: Path) -> None:
    """A connection to the outgoing server that cannot be opened is tried again; nothing bounces."""
    with sinks.running() as sink, guards.running(tmp_path, guards.smtp_upstream(sink.port)) as guard:
        held = taken(guard, "held")
        time.sleep(0.5)
        # One for the question, and none for what it leads to.
        with allowed(guard, open_files(guard) + 1):
            assert ask(guard, "release", held) == "done"
            time.sleep(2)
        message = request(guard, "show", id=held)["message"]
        assert message["state"] in ("queued", "held", "sent", "relaying"), message
        assert {one["state"] for one in message["recipients"]} <= {"waiting", "deferred", "sent"}
        assert_no_python_in_the_log(guard)
