"""The whole program as a process: races with the timer, restarts, signals, and the bytes of many messages."""

import random
import signal
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailguard.edge import control_client
from tests import guard as guards
from tests import sink as sinks
from tests.guard import Guard
from tests.odd_mail import ODD_MAIL, without_bcc
from tests.promises.talking import until
from tests.sink import Sink

DELAY_SECONDS = 3
RULES = guards.RULES.replace('delay = "1h"', f'delay = "{DELAY_SECONDS}s"')


@pytest.fixture(autouse=True, params=["one process", "SMTP in its own"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens to a guard, in one process and in two."""
    monkeypatch.setenv(guards.OWN_PROCESS, str(request.param != "one process").lower())


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The upstream that remembers."""
    with sinks.running() as upstream:
        yield upstream


def ask(guard: Guard, verb: str, message_id: str) -> str:
    """One decision over the control socket, as the command line does it, without a process for each."""
    answer = control_client.ask(guard.directory / "state" / "control.sock", {"verb": verb, "id": message_id})
    return str(answer["told"])


def submit(session: smtplib.SMTP, subject: str, content: bytes = b"") -> str:
    """Hand one message in; its id."""
    body = content or f"From: alice@corp.example\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()
    session.mail("alice@corp.example")
    assert session.rcpt(f"{subject}@customer.example")[0] == 250
    code, text = session.data(body)
    assert code == 250, text
    return text.decode().split(" as ")[1].split()[0]


def test_of_200_held_messages_every_answer_is_the_truth(sink: Sink, tmp_path: Path) -> None:
    """Cancels and releases race the timer and each other; who was told "done" is done with."""
    dice = random.Random(1047)
    upstream = guards.smtp_upstream(sink.port)
    with guards.running(tmp_path, upstream, rules=RULES) as guard:
        with smtplib.SMTP("127.0.0.1", guard.port) as session:
            session.ehlo()
            submitted = [(submit(session, f"race{n}"), time.monotonic()) for n in range(200)]

        def decide(message_id: str, at: float, verb: str) -> str:
            time.sleep(max(0.0, at - time.monotonic()))
            return ask(guard, verb, message_id)

        with ThreadPoolExecutor(32) as people:
            cancels, releases = {}, {}
            for message_id, began in submitted:
                near = began + DELAY_SECONDS + dice.uniform(-0.3, 0.3)
                cancels[message_id] = people.submit(decide, message_id, near, "cancel")
                if dice.random() < 0.5:
                    releases[message_id] = people.submit(decide, message_id, near, "release")
            told = {message_id: cancel.result() for message_id, cancel in cancels.items()}
        for message_id in told:
            guard_state = _settled(guard, message_id)
            assert guard_state in ("cancelled", "sent")
        arrived = [one for delivery in sink.deliveries for one in delivery.recipients]
        for number, (message_id, _) in enumerate(submitted):
            copies = arrived.count(f"race{number}@customer.example")
            assert told[message_id] in ("done", "already", "too_late")
            assert copies == (0 if told[message_id] in ("done", "already") else 1), told[message_id]
        # Both outcomes must have happened, or this test has proved nothing.
        assert set(told.values()) >= {"done", "too_late"}


def _settled(guard: Guard, message_id: str) -> str:
    for _ in range(200):
        answer = control_client.ask(
            guard.directory / "state" / "control.sock", {"verb": "show", "id": message_id}
        )
        message = answer["message"]
        assert isinstance(message, dict)
        if message["state"] in ("cancelled", "sent"):
            return str(message["state"])
        time.sleep(0.05)
    return "unsettled"


def test_hold_restart_and_release_keep_every_byte(sink: Sink, tmp_path: Path) -> None:
    """What leaves is what came in, but for one Received field and Bcc, through a restart."""
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port))
    guard.start()
    with smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        ids = [_hand_in(session, n, content) for n, content in enumerate(ODD_MAIL)]
    guard.stop()
    guard.start()
    try:
        for message_id in ids:
            assert ask(guard, "release", message_id) == "done"
        for number, content in enumerate(ODD_MAIL):
            delivery = sink.wait(lambda d, n=number: f"odd{n}@customer.example" in d.recipients)  # type: ignore[misc]
            head, rest = delivery.content[:9], delivery.content.split(b"\r\n\t", 2)[-1].split(b"\r\n", 1)[1]
            assert head == b"Received:"
            assert rest == without_bcc(content), number
    finally:
        guard.stop()


def _hand_in(session: smtplib.SMTP, number: int, content: bytes) -> str:
    session.docmd("MAIL", "FROM:<alice@corp.example> BODY=8BITMIME")
    session.docmd("RCPT", f"TO:<odd{number}@customer.example>")
    code, _ = session.docmd("DATA")
    assert code == 354
    # Not smtplib's own way, which mends line ends.
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in content.split(b"\r\n"))
    session.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    code, text = session.getreply()
    assert code == 250, text
    return text.decode().split(" as ")[1].split()[0]


def test_sighup_reloads_and_a_watched_file_is_taken_by_itself(tmp_path: Path) -> None:
    with guards.running(tmp_path, {"kind": "maildir", "path": "outgoing"}) as guard:
        path = guard.directory / "rules.toml"
        path.write_text(guards.RULES + '\n[[rule]]\nname = "second"\ndelay = "1s"\n')
        assert guard.process
        guard.process.send_signal(signal.SIGHUP)
        until(lambda: guard.ask("status")["rules"] == ["external", "second"])
        path.write_text("[[rule]\n")
        until(lambda: bool(guard.ask("status")["reload_errors"]))
        assert guard.ask("status")["rules"] == ["external", "second"]


def test_sighup_in_the_first_moments_does_not_end_it(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"})
    starting = threading.Thread(target=guard.start)
    starting.start()
    until(lambda: guard.process is not None)
    # Python itself must be up before anything of ours can listen to a signal.
    until((tmp_path / "state" / "guard.lock").exists)
    assert guard.process
    for _ in range(5):
        guard.process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    starting.join()
    assert guard.stop() == 0


@pytest.mark.slow
def test_a_port_that_is_taken_leaves_due_mail_untouched(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port))
    guard.start()
    with smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        message_id = submit(session, "due")
    guard.stop()
    assert guard.verb("release", message_id).returncode == 0
    with socket.socket() as taken:
        # The connections of a moment ago are still cooling down on this port.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", guard.port))
        taken.listen()
        assert guard.verb("serve").returncode == 2
    assert [event["event"] for event in guard.ask("show", message_id)["events"]] == ["received", "release"]
    assert guard.verb("cancel", message_id).returncode == 0


def test_a_reload_never_moves_a_time_that_was_told(tmp_path: Path) -> None:
    with guards.running(tmp_path, {"kind": "maildir", "path": "outgoing"}) as guard:
        with smtplib.SMTP("127.0.0.1", guard.port) as session:
            session.ehlo()
            message_id = submit(session, "promise")
        before = guard.ask("show", message_id)["release_at"]
        (guard.directory / "rules.toml").write_text(guards.RULES.replace("1h", "1s"))
        assert guard.verb("reload").returncode == 0
        assert guard.ask("show", message_id)["release_at"] == before


def test_sigterm_ends_it_cleanly_with_mail_on_its_way(sink: Sink, tmp_path: Path) -> None:
    """Everybody who heard 250 finds the mail again: sent, or still held after the restart."""
    rules = guards.RULES.replace('delay = "1h"', 'delay = "0s"')
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), rules=rules)
    guard.start()
    taken: list[str] = []

    def flood() -> None:
        try:
            with smtplib.SMTP("127.0.0.1", guard.port) as session:
                session.ehlo()
                for number in range(2000):
                    taken.append(submit(session, f"flood{number}"))
        except (OSError, smtplib.SMTPException, AssertionError):
            # The guard went away, as it was told to.
            pass

    client = threading.Thread(target=flood)
    client.start()
    until(lambda: len(taken) > 50)
    assert guard.stop() == 0
    client.join()
    guard.start()
    try:
        for number in range(len(taken)):
            sink.wait(lambda d, n=number: f"flood{n}@customer.example" in d.recipients)  # type: ignore[misc]
    finally:
        guard.stop()
    arrived = [one for delivery in sink.deliveries for one in delivery.recipients]
    assert len(arrived) == len(set(arrived))
