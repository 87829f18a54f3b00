"""The server inside the guard: it starts and ends with it, and says what is wrong with its port."""

import signal
import socket
import time
from pathlib import Path

from tests import guard as guards
from tests.edge.web.parts import MAILDIR, configured, page
from tests.guard import Guard


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
