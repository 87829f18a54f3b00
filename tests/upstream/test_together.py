"""Hundreds that fall due in one second: the oldest first, each sender in turn, over few connections."""

import smtplib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import guard as guards
from tests import sink as sinks
from tests.guard import Guard

MANY, SOME = "many@corp.example", "some@corp.example"
LAST = "last@corp.example"
TO = "boss@corp.example"
# What each has to send, in the order in which they hand it in.
SHARES = ((MANY, 250), (SOME, 70), (LAST, 1))
CONNECTIONS = 10
# How many of one sender may overtake one another: as many as are on their way at the same time.
ON_THE_WAY = 2 * CONNECTIONS


def hand_in(guard: Guard, due: datetime) -> None:
    """All of it, held until the same second."""
    options = [f"HOLDUNTIL={due:%Y-%m-%dT%H:%M:%SZ}"]
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as client:
        client.ehlo()
        for sender, count in SHARES:
            for number in range(count):
                content = f"From: {sender}\r\nSubject: {number}\r\n\r\nx\r\n".encode()
                client.sendmail(sender, [TO], content, mail_options=options)


def test_they_leave_oldest_first_and_in_turn_over_few_connections(tmp_path: Path) -> None:
    total = sum(count for _, count in SHARES)
    with (
        sinks.running() as sink,
        guards.running(tmp_path, guards.smtp_upstream(sink.port)) as guard,
    ):
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
        hand_in(guard, due)
        assert datetime.now(UTC) < due, "the machine is too slow for this test"
        assert sink.deliveries == []
        deadline = time.monotonic() + 60
        while len(sink.deliveries) < total:
            assert time.monotonic() < deadline, f"{len(sink.deliveries)} of {total} arrived"
            time.sleep(0.05)
        arrived = list(sink.deliveries)
        assert guard.ask("status")["messages"].get("queued", 0) == 0
    senders = [one.sender for one in arrived]
    assert {sender: senders.count(sender) for sender, _ in SHARES} == dict(SHARES)
    for sender, count in SHARES:
        numbers = [
            int(one.content.split(b"Subject: ")[1].split()[0]) for one in arrived if one.sender == sender
        ]
        assert sorted(numbers) == list(range(count)), "each of them once"
        late = max(abs(place - number) for place, number in enumerate(numbers))
        assert late <= ON_THE_WAY, f"{sender}: one was {late} places from its own"
    # Who has one message does not wait for the hundreds of somebody else, and who has some has every other.
    assert senders.index(LAST) <= len(SHARES) + 2 * ON_THE_WAY
    last_of_some = len(senders) - 1 - senders[::-1].index(SOME)
    assert last_of_some <= 2 * dict(SHARES)[SOME] + 2 * ON_THE_WAY
    assert sink.most_open <= CONNECTIONS
    # A connection is used for a hundred messages; ten may have been begun at once.
    assert sink.connections <= CONNECTIONS + total // 100
