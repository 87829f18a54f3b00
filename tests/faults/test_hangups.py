"""Clients that are gone in the middle: at every step of a session, politely or not."""

import os
import random
import smtplib
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import guard as guards
from tests import sink as sinks
from tests.faults.injecting import assert_no_python_in_the_log, subjects, taken
from tests.guard import Guard
from tests.slices import rounds

BODY = b"From: alice@corp.example\r\nSubject: %b\r\n\r\n" + b"x" * 70 + b"\r\n"
# What the client has said when it hangs up; {} is the subject.
STEPS: tuple[list[bytes], ...] = (
    [],
    [b"EHLO laptop\r\n"],
    [b"EHLO laptop\r\n", b"MAIL FROM:<alice@corp.example>\r\n"],
    [b"EHLO laptop\r\n", b"MAIL FROM:<alice@corp.example>\r\n", b"RCPT TO:<b@customer.example>\r\n"],
)
UP_TO_DATA = [*STEPS[-1], b"DATA\r\n"]

Hangup = Callable[[socket.socket], None]


def finish(client: socket.socket) -> None:
    """Says that it will say no more, and goes."""
    client.shutdown(socket.SHUT_WR)
    client.close()


def reset(client: socket.socket) -> None:
    """Is gone at once, as a machine that crashed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def talk(guard: Guard, lines: list[bytes], *, read: bool = True) -> socket.socket:
    """A client that has said this, and listened, or not."""
    client = socket.create_connection(("127.0.0.1", guard.port), timeout=30)
    if read:
        client.recv(4096)
    for line in lines:
        client.sendall(line)
        if read:
            client.recv(4096)
    return client


def open_files(guard: Guard) -> int:
    assert guard.process
    return len(os.listdir(f"/proc/{guard.process.pid}/fd"))


def hang_up_everywhere(guard: Guard, hangup: Hangup, prefix: str, dice: random.Random) -> None:
    """Once at every step."""
    for lines in (*STEPS, UP_TO_DATA):
        hangup(talk(guard, lines))
        hangup(talk(guard, lines, read=False))
    client = talk(guard, UP_TO_DATA)
    client.sendall(BODY % f"{prefix}-half".encode())
    hangup(client)
    for name, pause in (("dot", 0.0), ("commit", dice.uniform(0.0, 0.01))):
        client = talk(guard, UP_TO_DATA)
        client.sendall(BODY % f"{prefix}-{name}".encode() + b".\r\n")
        time.sleep(pause)
        hangup(client)
    # Whoever has heard 250 may go as he likes.
    client = talk(guard, UP_TO_DATA)
    client.sendall(BODY % f"{prefix}-heard".encode() + b".\r\n")
    assert client.recv(4096).startswith(b"250 "), prefix
    hangup(client)


def run(tmp_path: Path, times: int) -> None:
    dice = random.Random(5321)
    with sinks.running() as sink, guards.running(tmp_path, guards.smtp_upstream(sink.port)) as guard:
        taken(guard, "first")
        time.sleep(0.3)
        base = open_files(guard)
        for number in range(times):
            hang_up_everywhere(guard, finish, f"fin{number}", dice)
            hang_up_everywhere(guard, reset, f"rst{number}", dice)
        with smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as session:
            session.sendmail("alice@corp.example", ["b@customer.example"], BODY % b"last")
        deadline = time.monotonic() + 20
        while open_files(guard) > base:
            assert time.monotonic() < deadline, f"{open_files(guard)} files are open, not {base}"
            time.sleep(0.1)
        kept = subjects(guard)
        assert {"first", "last"} <= kept
        for number in range(times):
            assert {f"fin{number}-heard", f"rst{number}-heard"} <= kept
            # After a polite goodbye the dot still counts; half a message never does.
            assert f"fin{number}-dot" in kept
            assert not {f"fin{number}-half", f"rst{number}-half"} & kept
        assert_no_python_in_the_log(guard)
        assert "fault" not in guard.log(), guard.log()


def test_clients_that_hang_up(tmp_path: Path) -> None:
    run(tmp_path, 3)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_clients_that_hang_up(tmp_path: Path) -> None:
    run(tmp_path, rounds(500, slice_of=36))
