"""sd_notify against a real socket."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.edge import systemd


@pytest.fixture
def supervisor() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(2)
        yield receiver


def test_ready_and_status_come_in_one_datagram(supervisor: socket.socket, tmp_path: Path) -> None:
    supervisor.bind(str(tmp_path / "notify"))
    systemd.notify(str(tmp_path / "notify"), systemd.READY, "STATUS=3 messages are held")
    assert supervisor.recv(4096) == b"READY=1\nSTATUS=3 messages are held"


def test_the_abstract_namespace(supervisor: socket.socket) -> None:
    supervisor.bind("")
    name = supervisor.getsockname()
    systemd.notify("@" + name[1:].decode(), systemd.STOPPING)
    assert supervisor.recv(4096) == b"STOPPING=1"


def test_a_line_break_in_a_status_cannot_forge_an_assignment(
    supervisor: socket.socket, tmp_path: Path
) -> None:
    supervisor.bind(str(tmp_path / "notify"))
    systemd.notify(str(tmp_path / "notify"), "STATUS=rules.toml:3: bad\nMAINPID=1\r\nX=1")
    assert supervisor.recv(4096) == b"STATUS=rules.toml:3: bad MAINPID=1 X=1"


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "@nobody-listens-here", "x" * 500, "a\0b"])
def test_nobody_listening_is_no_trouble(address: str | None) -> None:
    systemd.notify(address, systemd.READY)


def test_a_supervisor_that_does_not_read_does_not_stop_the_guard(
    supervisor: socket.socket, tmp_path: Path
) -> None:
    supervisor.bind(str(tmp_path / "notify"))
    begun = time.monotonic()
    for _ in range(2000):
        systemd.notify(str(tmp_path / "notify"), "STATUS=" + "x" * 200)
    assert time.monotonic() - begun < 2
