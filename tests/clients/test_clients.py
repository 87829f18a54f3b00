"""Real mail clients against the real guard: what they hand in is held, and leaves as it was or never."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests.clients import senders
from tests.clients.mails import is_of, some_mail, taken_apart, without_bcc
from tests.clients.senders import Send, Transport
from tests.guard import LOGIN, SENDER, Guard
from tests.sink import Sink

# Seconds: long enough for two verbs on a busy machine, short enough to wait for.
HASTE = 6

every_client = pytest.mark.parametrize("send", senders.ALL, ids=lambda send: send.__name__)
every_transport = pytest.mark.parametrize("transport", list(Transport))


@every_client
@every_transport
def test_a_held_message_leaves_as_it_was(
    guard: Guard, sink: Sink, send: Send, transport: Transport, tmp_path: Path
) -> None:
    mail = some_mail()
    send(guard, transport, mail, tmp_path)
    held = guard.wait_for(is_of(mail))
    assert held["state"] == "held"
    assert held["rules"] == ["external"]
    assert held["sender"] == SENDER
    assert held["user"] == (None if transport is Transport.PLAIN else LOGIN)
    assert {one["address"] for one in held["recipients"]} == set(mail.recipients)
    as_received = guard.raw(held["id"])
    if send in senders.VERBATIM:
        assert as_received == mail.content

    assert guard.verb("release", held["id"]).returncode == 0
    arrived = sink.wait(lambda delivery: mail.subject.encode() in delivery.content)
    received, rest = taken_apart(arrived.content)
    assert received.startswith(b"Received: from ")
    assert b" by guard.corp.example " in received.replace(b"\r\n", b" ").replace(b"\t", b" ")
    assert rest == without_bcc(as_received)
    assert b"spy.example" not in arrived.content
    assert arrived.sender == SENDER
    assert set(arrived.recipients) == set(mail.recipients)
    sent = guard.wait_for(lambda message: is_of(mail)(message) and message["state"] == "sent")
    assert sent["id"] == held["id"]


@every_client
@every_transport
def test_a_cancelled_message_never_arrives(
    guard: Guard, sink: Sink, send: Send, transport: Transport, tmp_path: Path
) -> None:
    mail = some_mail()
    send(guard, transport, mail, tmp_path)
    held = guard.wait_for(is_of(mail))
    assert guard.verb("cancel", held["id"]).returncode == 0
    assert guard.verb("cancel", held["id"]).returncode == 0, "cancelling what is cancelled is done"
    # Neither a wish to send it now nor mail that overtakes it brings it out.
    assert guard.verb("release", held["id"]).returncode != 0
    later = some_mail()
    senders.python(guard, Transport.PLAIN, later, tmp_path)
    assert guard.verb("release", guard.wait_for(is_of(later))["id"]).returncode == 0
    sink.wait(lambda delivery: later.subject.encode() in delivery.content)
    assert guard.wait_for(is_of(mail))["state"] == "cancelled"
    assert [one for one in sink.deliveries if mail.subject.encode() in one.content] == []


@pytest.fixture
def hasty(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard that holds for a few seconds only."""
    rules = guards.RULES.replace('"1h"', f'"{HASTE}s"')
    with guards.running(
        tmp_path_factory.mktemp("hasty"), guards.smtp_upstream(sink.port), rules=rules
    ) as started:
        yield started


def test_the_timer_sends_what_nobody_stopped_and_nothing_else(
    hasty: Guard, sink: Sink, tmp_path: Path
) -> None:
    stopped, dropped, left_alone = some_mail(), some_mail(), some_mail()
    begun = time.monotonic()
    for mail in (stopped, dropped, left_alone):
        senders.python(hasty, Transport.PLAIN, mail, tmp_path)
    assert hasty.verb("cancel", hasty.wait_for(is_of(stopped))["id"]).returncode == 0
    gone = dropped.recipients[0]
    assert hasty.verb("cancel", hasty.wait_for(is_of(dropped))["id"], "--to", gone).returncode == 0
    assert time.monotonic() - begun < HASTE, "this machine is too slow for the test to say anything"

    sink.wait(lambda delivery: left_alone.subject.encode() in delivery.content)
    rest = sink.wait(lambda delivery: dropped.subject.encode() in delivery.content)
    assert set(rest.recipients) == set(dropped.recipients[1:])
    time.sleep(1)
    assert [one for one in sink.deliveries if stopped.subject.encode() in one.content] == []


def test_a_held_message_outlives_a_restart(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port))
    mail = some_mail()
    guard.start()
    try:
        senders.python(guard, Transport.PLAIN, mail, tmp_path)
        before = guard.wait_for(is_of(mail))
        guard.stop()
        stopped = guard.wait_for(is_of(mail))
        assert stopped == before, "the command line works on a guard that is stopped, too"
        guard.start()
        assert guard.wait_for(is_of(mail)) == before
        assert guard.verb("release", before["id"]).returncode == 0
        sink.wait(lambda delivery: mail.subject.encode() in delivery.content)
    finally:
        guard.stop()
