"""Hostile mail costs little: whatever comes in, processor time and memory per message stay within a bound.

tests/content has the zoo; these are the largest beasts, each through the whole guard."""

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.guard import SENDER, Guard
from tests.promises.talking import hand_in, shown
from tests.sink import Sink

MIB = 1024 * 1024
# Seconds of processor time for one message, in and out; measured: half a second and less.
DEAREST = 6.0
# A message is in memory a few times on its way; none of these is larger than 21 MB.
LARGEST = 250 * MIB
HEAD = f"From: {SENDER}\r\nMIME-Version: 1.0\r\n".encode()


def _deep() -> bytes:
    parts = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
        for depth in range(20_000)
    )
    return HEAD + b"".join(parts) + b"\r\nthe end\r\n"


def _wide() -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 400_000


def _base64() -> bytes:
    lines = base64.encodebytes(os.urandom(14 * MIB)).replace(b"\n", b"\r\n")
    return HEAD + b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines


def _markup() -> bytes:
    return HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a <!-- <p>&lt;&#x41\r\n" * (20 * MIB // 22)


def _crowd() -> bytes:
    return HEAD + b"To: " + b",\r\n ".join(b"<u%d@x.example>" % n for n in range(40_000)) + b"\r\n\r\nhi\r\n"


def _comments() -> bytes:
    return HEAD + b"To: " + b"(" * 60_000 + b"\r\n\r\nhi\r\n"


def _long_lines() -> bytes:
    return HEAD + b"\r\n" + (b"x" * 60_000 + b"\r\n") * 350


@pytest.mark.parametrize("beast", [_deep, _wide, _base64, _markup, _crowd, _comments, _long_lines])
def test_a_message_costs_a_bounded_amount(guard: Guard, sink: Sink, beast: Callable[[], bytes]) -> None:
    content = beast()
    address = f"{beast.__name__.strip('_')}@now.example"
    used, memory = _processor(guard), _resident(guard)
    promise = hand_in(guard, content, address)
    if shown(guard, promise.id)["state"] != "confirm":
        # What nobody can read waits for its sender's look.
        sink.wait(lambda delivery: address in delivery.recipients, timeout=60)
    assert _processor(guard) - used < DEAREST
    assert _resident(guard) - memory < LARGEST


def _processor(guard: Guard) -> float:
    assert guard.process
    fields = Path(f"/proc/{guard.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(guard: Guard) -> int:
    """The most memory that it ever had."""
    assert guard.process
    for line in Path(f"/proc/{guard.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the guard is gone")


def test_a_queue_of_beasts_does_not_hold_up_a_plain_message(guard: Guard, sink: Sink) -> None:
    hand_in(guard, _markup(), "b@client.example")
    begun = time.monotonic()
    hand_in(guard, HEAD + b"\r\nhi\r\n", "quick@now.example")
    sink.wait(lambda delivery: "quick@now.example" in delivery.recipients)
    assert time.monotonic() - begun < 10
