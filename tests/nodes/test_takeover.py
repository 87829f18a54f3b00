"""A guard is killed in the middle, or loses the database: the others go on, and nobody is misled."""

import contextlib
import signal
import smtplib
import socket
import threading
import time
from pathlib import Path

import pytest

from tests import sink as sinks
from tests.crash import witness as witnesses
from tests.guard import OWN_PROCESS, Guard
from tests.nodes import several
from tests.nodes.several import hand_in, say, state_of, wait_for_state
from tests.postgres_server import Server
from tests.sink import Sink

# The lease, and a moment for the others to look.
WITHIN = 15 + 8


@pytest.mark.slow
def test_what_a_killed_guard_was_handing_over_goes_on_elsewhere(tmp_path: Path, url: str) -> None:
    with witnesses.running() as witness:
        # The outgoing server has the message, and does not answer.
        witness.mute = True
        with several.running(tmp_path, url, witness.port, count=2) as (one, two):
            # What is due leaves by whichever is faster: the second stands still, so that it is the first.
            assert two.process
            two.process.send_signal(signal.SIGSTOP)
            handed = hand_in(one, "b@corp.example", "x", message_id="in-hand@crash.example")
            held = hand_in(one, "c@customer.example", "held")
            deadline = time.monotonic() + 30
            while not witness.arrived("in-hand"):
                assert time.monotonic() < deadline, one.log()
                time.sleep(0.05)
            assert one.process
            one.process.kill()
            one.process.wait()
            killed = time.monotonic()
            witness.mute = False
            two.process.send_signal(signal.SIGCONT)
            # Nobody takes over what may still be in a living guard's hands.
            answer = say(two, "cancel", id=held)
            assert answer and answer["told"] == "done"
            wait_for_state(two, handed, "sent", timeout=WITHIN + 20)
            took = time.monotonic() - killed
            events = two.ask("show", handed)["events"]
            assert [event["event"] for event in events] == ["received", "claim", "recover", "claim", "settle"]
            assert events[2]["may_arrive_twice"] == ["b@corp.example"]
            assert state_of(two, held) == "cancelled"
            assert took < WITHIN + 5, took


@pytest.mark.slow
def test_while_the_database_is_away_nothing_is_taken_and_nothing_is_lost(
    tmp_path: Path, server: Server, url: str, sink: Sink
) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []
    stopping = threading.Event()
    with several.running(tmp_path, url, sink.port, count=2) as guards:

        def client(number: int) -> None:
            count = 0
            while not stopping.is_set():
                count += 1
                name = f"m{number}-{count}"
                try:
                    acknowledged.append(hand_in(guards[number % 2], f"{name}@corp.example", name))
                except (OSError, smtplib.SMTPException) as error:
                    refused.append(str(error))
                    time.sleep(0.05)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for mode in ("immediate", "fast"):
            time.sleep(2)
            _away(server, mode, guards[0], acknowledged, refused)
        stopping.set()
        for thread in threads:
            thread.join()
        assert refused
        # What a client hears is temporary, or nothing at all.
        assert not [one for one in refused if one.startswith("(5")]
        for message_id in acknowledged:
            wait_for_state(guards[0], message_id, "sent", timeout=60)
    assert len(set(acknowledged)) == len(acknowledged)


def _away(server: Server, mode: str, guard: Guard, acknowledged: list[str], refused: list[str]) -> None:
    """The database is away until a client is told so; afterwards mail is taken again."""
    before, deadline = len(refused), time.monotonic() + 40
    server.stop(mode)
    while len(refused) == before:
        assert time.monotonic() < deadline, guard.log()[-2000:]
        time.sleep(0.1)
    before, deadline = len(acknowledged), time.monotonic() + 40
    server.start()
    while len(acknowledged) < before + 20:
        assert time.monotonic() < deadline, guard.log()[-2000:]
        time.sleep(0.1)


@pytest.mark.slow
def test_a_guard_that_stood_still_lets_go_of_what_the_others_took(tmp_path: Path, url: str) -> None:
    """As a virtual machine that is frozen in the middle, for longer than its lease."""
    with sinks.running() as sink, several.running(tmp_path, url, sink.port, count=2) as (one, two):
        assert one.process
        held = [hand_in(one, f"{n}@customer.example", f"m{n}") for n in range(5)]
        one.process.send_signal(signal.SIGSTOP)
        time.sleep(WITHIN - 5)
        for message_id in held[:3]:
            answer = say(two, "cancel", id=message_id)
            assert answer and answer["told"] == "done"
        for message_id in held[3:]:
            say(two, "release", id=message_id)
        one.process.send_signal(signal.SIGCONT)
        for message_id in held[3:]:
            wait_for_state(two, message_id, "sent")
        # It knows at once, takes mail again, and sends nothing of what was stopped.
        assert [state_of(one, message_id) for message_id in held[:3]] == ["cancelled"] * 3
        sent = hand_in(one, "next@corp.example", "next")
        wait_for_state(one, sent, "sent")
        assert sorted(delivery.recipients[0] for delivery in sink.deliveries) == [
            "3@customer.example",
            "4@customer.example",
            "next@corp.example",
        ]


@pytest.mark.slow
def test_a_guard_that_stands_still_in_two_processes_hands_nothing_over(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that speaks SMTP goes on where the one that has the lease is frozen; by the time that another
    guard takes over, it must have let go."""
    monkeypatch.setenv(OWN_PROCESS, "true")
    begun = threading.Event()
    arrived: list[bytes] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        several.running(tmp_path, url, listener.getsockname()[1], count=1) as (one,),
    ):
        greeting = threading.Thread(target=_late, args=(listener, begun, arrived), daemon=True)
        greeting.start()
        hand_in(one, "b@corp.example", "x")
        assert begun.wait(20), one.log()
        assert one.process
        one.process.send_signal(signal.SIGSTOP)
        try:
            # It is greeted after ten seconds, within the lease.
            greeting.join(30)
            assert arrived == [b""]
        finally:
            one.process.send_signal(signal.SIGCONT)


def _late(listener: socket.socket, begun: threading.Event, arrived: list[bytes]) -> None:
    """An upstream that greets late; what it hears then."""
    peer, _ = listener.accept()
    begun.set()
    with peer, contextlib.suppress(OSError):
        time.sleep(10)
        peer.sendall(b"220 late.example\r\n")
        peer.settimeout(5)
        arrived.append(peer.recv(1000))
