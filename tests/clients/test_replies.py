"""What a client is told at the end of DATA, word for word: scripts read it."""

import re
import smtplib
import uuid

from tests.guard import SENDER, Guard

HELD = re.compile(r"2\.0\.0 Held as (\w+) until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ): external")
QUEUED = re.compile(r"2\.0\.0 Queued as (\w+)")


def told(guard: Guard, recipient: str) -> tuple[int, str]:
    """The answer to one short message."""
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as session:
        session.ehlo()
        session.mail(SENDER)
        session.rcpt(recipient)
        code, text = session.data(f"Subject: {uuid.uuid4()}\r\n\r\nHello\r\n".encode())
    return code, text.decode("ascii")


def test_held(guard: Guard) -> None:
    code, text = told(guard, "bob@client.example")
    match = HELD.fullmatch(text)
    assert code == 250
    assert match, text
    held = guard.wait_for(lambda message: message["id"] == match[1])
    assert held["release_at"] == match[2]
    # An unambiguous beginning is enough for every verb.
    assert guard.verb("cancel", match[1][:8]).returncode == 0
    assert guard.wait_for(lambda message: message["id"] == match[1])["state"] == "cancelled"


def test_leaves_at_once(guard: Guard) -> None:
    code, text = told(guard, "bob@corp.example")
    match = QUEUED.fullmatch(text)
    assert code == 250
    assert match, text
    guard.wait_for(lambda message: message["id"] == match[1] and message["state"] == "sent")
