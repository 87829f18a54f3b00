"""Alive, fit to take mail, and in numbers."""

import socket
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests import guard as guards
from tests import reference_http
from tests.edge.web.parts import MAILDIR, bearer, page, submit
from tests.guard import Guard
from tests.programs import free_port


def samples(text: str) -> dict[str, float]:
    """Every number of an exposition text, by its name and labels."""
    return {
        f"{one.name}{sorted(one.labels.values())}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_rules_that_are_not_taken_are_told_of_and_mail_is_taken(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, MAILDIR, web="\n")
    guard.start()
    rules = tmp_path / "rules.toml"
    try:
        with page(guard) as monitor:
            assert monitor.get("/healthz").text == "alive\n"
            ready = monitor.get("/readyz")
            assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})
            good = rules.read_text()
            rules.write_text(good + "\nmargn = 1\n")
            assert guard.verb("reload").returncode == 2
            broken = monitor.get("/readyz")
            assert (broken.status_code, broken.json()["ready"]) == (200, True)
            assert "rules.toml" in broken.json()["reasons"][0]
            assert "margn" in broken.json()["reasons"][0]
            assert submit(guard)
            assert samples(monitor.get("/metrics").text)["mailguard_rules_not_taken[]"] == 1
            assert monitor.get("/healthz").status_code == 200
            rules.write_text(good)
            assert guard.verb("reload").returncode == 0
            assert monitor.get("/readyz").json() == {"ready": True, "reasons": []}
    finally:
        assert guard.stop() == 0


def test_an_outgoing_server_that_is_out_is_told_of_and_mail_is_taken(tmp_path: Path) -> None:
    nobody = free_port()
    upstream: dict[str, str | int] = {"kind": "smtp", "host": "127.0.0.1", "port": nobody, "tls": "none"}
    guard = guards.configured(tmp_path, upstream, web="\n")
    guard.start()
    try:
        with page(guard) as monitor:
            assert guard.verb("release", submit(guard)).returncode == 0
            guard.wait_for(lambda one: bool(one["recipients"][0]["reply"]))
            told = monitor.get("/readyz")
        assert (told.status_code, told.json()["ready"]) == (200, True)
        assert f"the outgoing server 127.0.0.1:{nobody} is out" in told.json()["reasons"][0]
    finally:
        assert guard.stop() == 0


def test_a_guard_that_is_stopping_is_not_ready(tmp_path: Path) -> None:
    """A request that is under way when it is told to stop still gets its answer, and that is the truth."""
    guard = guards.configured(tmp_path, MAILDIR, web="\n")
    guard.start()
    assert guard.process
    with socket.create_connection(("127.0.0.1", guard.web_port), timeout=20) as monitor:
        # The head is here, so it is a request; its body is not, so nobody has answered yet.
        monitor.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n")
        with page(guard) as other:
            assert other.get("/readyz").json() == {"ready": True, "reasons": []}
        guard.process.terminate()
        while is_open(guard.web_port):
            time.sleep(0.02)
        monitor.sendall(b"x")
        answer = b""
        while more := monitor.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"ready":false' in answer
    assert b"the guard is stopping" in answer
    assert guard.stop() == 0, guard.log()


def is_open(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_held_message_is_in_the_numbers_and_nobody_is(guard: Guard) -> None:
    with page(guard) as monitor:
        before = samples(monitor.get("/metrics").text)
        message_id = submit(guard)
        text = monitor.get("/metrics").text
    after = samples(text)
    for name in (
        "mailguard_messages['held']",
        "mailguard_mail_received_total[]",
        "mailguard_accept_seconds_count[]",
    ):
        assert after[name] == before.get(name, 0) + 1, name
    assert after["mailguard_up[]"] == 1
    told = {name.strip("`") for name, *_ in reference_http.metrics()}
    assert {name.partition("[")[0] for name in after} - told == {
        f"mailguard_accept_seconds_{part}" for part in ("bucket", "count", "sum")
    }
    for private in (message_id, "@", "alice", "plans", "customer"):
        assert private not in text


def test_who_may_not_watch_is_told_whether_and_not_why(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, MAILDIR, web='monitors = ["192.0.2.1"]\n')
    guard.start()
    try:
        with page(guard) as stranger:
            assert stranger.get("/readyz").json() == {"ready": True}
            assert stranger.get("/metrics").status_code == 403
        token = guard.ask("tokens", "new", "prometheus", "--scope", "read", "--forever")["token"]
        with bearer(guard, token=token) as prometheus:
            assert prometheus.get("/metrics").status_code == 200
        with bearer(guard) as alice:
            assert alice.get("/metrics").status_code == 403
    finally:
        assert guard.stop() == 0


def test_a_press_is_answered_soon(guard: Guard) -> None:
    """No benchmark: only that nothing waits for a timer."""
    message_id = submit(guard)
    with bearer(guard) as alice:
        began = time.monotonic()
        assert alice.post(f"/api/v1/messages/{message_id}/cancel").status_code == 200
        assert time.monotonic() - began < 2
