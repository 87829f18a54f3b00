"""Mail to the guard itself, through the whole program: swaks stands for any mail client."""

import email
import email.policy
import smtplib
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests import guard as guards
from tests.guard import Guard

HOST = "guard.corp.example"


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard whose mail leaves into a folder."""
    directory = tmp_path_factory.mktemp("control")
    with guards.running(directory, {"kind": "maildir", "path": "outgoing"}) as started:
        yield started


def send(guard: Guard, to: str, text: str) -> str:
    """A mail of Alice's; what the guard says to it."""
    content = f"From: alice@corp.example\r\nTo: {to}\r\nSubject: Re: Held: Cost cuts\r\n\r\n{text}\r\n"
    with smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        session.mail("alice@corp.example")
        assert session.rcpt(to)[0] == 250
        code, told = session.data(content)
    assert code == 250, told
    return told.decode()


def held(guard: Guard) -> str:
    """A message that is held; its id."""
    return send(guard, "client@customer.example", "Two less.").split(" as ")[1].split()[0]


def answers(guard: Guard, about: str) -> list[EmailMessage]:
    """What the guard has written to Alice about this message."""
    found = []
    for path in (guard.directory / "outgoing" / "new").iterdir():
        parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        if str(parsed["From"]).startswith("mailguard") and about in parsed.as_string():
            found.append(parsed)
    return found


def answer(guard: Guard, about: str) -> EmailMessage:
    """The one answer, as soon as it has left."""
    end = time.monotonic() + 20
    while not (found := answers(guard, about)):
        assert time.monotonic() < end, "no answer came"
        time.sleep(0.1)
    (one,) = found
    return one


def state(guard: Guard, message_id: str) -> str:
    return str(guard.ask("show", message_id)["state"])


def test_a_reply_to_the_cancel_address_cancels(guard: Guard) -> None:
    message_id = held(guard)
    told = send(guard, f"cancel+{message_id}@{HOST}", "\r\n> On Monday mailguard wrote:\r\n> send\r\n")
    assert message_id in told
    assert state(guard, message_id) == "cancelled"
    written = answer(guard, message_id)
    assert written["To"] == "alice@corp.example"
    assert written["Auto-Submitted"] == "auto-generated"
    assert "will not go to client@customer.example" in written.as_string()


def test_the_send_address_sends(guard: Guard) -> None:
    message_id = held(guard)
    send(guard, f"send+{message_id}@{HOST}", "")
    assert state(guard, message_id) in ("queued", "relaying", "sent")


def test_the_queue_address_lists(guard: Guard) -> None:
    message_id = held(guard)
    send(guard, f"queue@{HOST}", "What is there?")
    assert "Cost cuts" in answer(guard, message_id).as_string()


def test_no_control_mail_is_in_the_queue_or_leaves(guard: Guard) -> None:
    message_id = held(guard)
    send(guard, f"cancel+{message_id}@{HOST}", "wait 2h")
    recipients = {one["address"] for message in guard.ask("queue", "--all") for one in message["recipients"]}
    assert recipients <= {"client@customer.example", "alice@corp.example"}
    assert state(guard, message_id) == "held"
