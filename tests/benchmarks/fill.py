"""Held messages straight into the store of a stopped guard: `python -m tests.benchmarks.fill STATE_DIR N`.

What comes out is what N messages leave behind that came in by SMTP: the same rows, made by the same code, but
many to a transaction and synced once, at the end. They are from some hundred people to some thousand, and
leave one after the other in the days to come, the first in six hours.
"""

import argparse
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from mailguard.core.envelope import MailParameters
from mailguard.core.events import Event
from mailguard.core.hold import Action, HeldMessage, HeldRecipient, NewMessage
from mailguard.core.identity import from_random
from mailguard.core.message import read_headers
from mailguard.core.states import MessageState
from mailguard.edge.store import StateLock, engine, rows, steps
from mailguard.edge.store.steps import Step

SENDERS = 500
RECIPIENTS = 5000
FIRST = timedelta(hours=6)
LAST = timedelta(days=4)
# Messages in one transaction.
LOT = 2000
BODY = b"Please find below what we have talked about, and tell me what you think of it.\r\n" * 8


def messages(count: int, now: datetime) -> Iterator[NewMessage]:
    """So many held messages, as if they had just come in; the same ones for the same `now`."""
    chance = random.Random(count)
    apart = (LAST - FIRST) / max(1, count)
    for number in range(count):
        identity = from_random(chance.randbytes(8))
        sender = f"person{chance.randrange(SENDERS)}@corp.example"
        address = f"somebody{chance.randrange(RECIPIENTS)}@client{number % 40}.example"
        content = (
            f"From: {sender}\r\nTo: {address}\r\nMessage-ID: <{number}.{identity}@corp.example>\r\n"
            f"Subject: About our talk, {number}\r\n\r\n"
        ).encode() + BODY
        yield held(identity, sender, address, content, now, now + FIRST + number * apart)


def held(
    identity: str, sender: str, address: str, content: bytes, now: datetime, release_at: datetime
) -> NewMessage:
    """A message to one recipient outside, as it is when it has come in."""
    headers = read_headers(content)
    recipient = HeldRecipient(
        address=address,
        external=True,
        delay=release_at - now,
        release_at=release_at,
        due_at=release_at + timedelta(seconds=3),
    )
    message = HeldMessage(
        id=identity,
        state=MessageState.HELD,
        sender=sender,
        user=sender.partition("@")[0],
        peer="192.0.2.7",
        helo="laptop.corp.example",
        protocol="ESMTPSA",
        parameters=MailParameters(),
        subject=headers.subject,
        message_id=headers.message_id,
        size=len(content),
        received_at=now,
        action=Action.DELAY,
        rules=("external",),
        margin=timedelta(seconds=3),
        undo=timedelta(days=7),
        recipients=(recipient,),
    )
    event = Event(at=now, event="received", by=message.user or "", detail={"rules": ["external"]})
    return NewMessage(message=message, content=content, event=event)


def fill(state_dir: Path, count: int) -> None:
    """Put so many into the store. Raises StoreLocked where a guard has it."""
    with StateLock.take(state_dir):
        connection = engine.connect(state_dir / "queue.db")
        try:
            _write(connection, messages(count, datetime.now(UTC)))
        finally:
            connection.close()


def _write(connection: sqlite3.Connection, news: Iterator[NewMessage]) -> None:
    # Nobody was promised anything yet: one sync at the end does for all.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -524288")
    while lot := list(islice(news, LOT)):
        connection.execute("BEGIN IMMEDIATE")
        steps.take(connection, [Step([rows.added(new)]) for new in lot])
        connection.execute("COMMIT")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="Held messages, straight into a stopped guard's store.")
    parser.add_argument("state_dir", type=Path, help="the guard's state_dir; made where it is missing")
    parser.add_argument("count", type=int, help="how many messages")
    chosen = parser.parse_args()
    begun = time.monotonic()
    fill(chosen.state_dir, chosen.count)
    seconds = time.monotonic() - begun
    print(f"{chosen.count} messages held in {chosen.state_dir} after {seconds:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
