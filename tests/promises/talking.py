"""How the tests of the promises talk to a real guard: as a mail client, and as the person at the desk."""

import re
import smtplib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mailguard.edge import control_client
from tests.guard import SENDER, Guard

RULES = """
internal_domains = ["corp.example"]
margin = "1s"
notify = "never"

[[rule]]
name = "external"
when = { to = "external" }
delay = "1h"

[[rule]]
name = "soon"
when = { to_all = ["@soon.example"] }
delay = "2s"
exempts = ["external"]

[[rule]]
name = "at-once"
when = { to_all = ["@now.example"] }
delay = "0s"
exempts = ["external"]

[[rule]]
name = "impatient"
when = { to = "@impatient.example" }
action = "confirm"
expire = "1s"

[[rule]]
name = "press"
when = { to = "@press.example" }
action = "approve"
approvers = ["bob@corp.example"]

[checks]
stranger_in_thread = { action = "off" }
"""

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What the client heard: the id, and the time where one was told."""

    id: str
    until: datetime | None
    reply: str


def letter(subject: str, body: str = "hello") -> bytes:
    """A message that nobody can object to."""
    return f"From: {SENDER}\r\nTo: b@client.example\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


def hand_in(guard: Guard, content: bytes, *to: str) -> Promise:
    """One message on a connection of its own, byte for byte; it must be taken."""
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=60) as session:
        session.ehlo()
        return submit(session, content, to)


def submit(session: smtplib.SMTP, content: bytes, to: Sequence[str]) -> Promise:
    """One message; it must be taken."""
    session.docmd("MAIL", f"FROM:<{SENDER}> BODY=8BITMIME")
    for one in to:
        code, text = session.docmd("RCPT", f"TO:<{one}>")
        assert code == 250, text
    assert session.docmd("DATA")[0] == 354
    # Not smtplib's own way, which mends line ends.
    session.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
    code, text = session.getreply()
    reply = text.decode()
    assert code == 250, reply
    until = re.search(r" until (\S+Z)", reply)
    told = None if until is None else datetime.fromisoformat(until[1])
    return Promise(id=re.split(r" as ", reply)[1].split()[0], until=told, reply=reply)


def ask(guard: Guard, verb: str, message_id: str = "", **more: object) -> dict[str, Any]:
    """One request over the control socket, as the command line makes it."""
    path = guard.directory / "state" / "control.sock"
    return dict(control_client.ask(path, {"verb": verb, "id": message_id, **more}))


def shown(guard: Guard, message_id: str) -> dict[str, Any]:
    """One message with its history."""
    return dict(ask(guard, "show", message_id)["message"])


def until(holds: Callable[[], object], timeout: float = 20) -> None:
    """Wait for it."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.05)


def kill(guard: Guard) -> None:
    """kill -9, and nothing else."""
    assert guard.process
    guard.process.kill()
    guard.process.wait()
