"""A notice, and the replies to it, through the whole guard: real mail programs hand them in."""

import email
import email.policy
import smtplib
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import guard as guards
from tests.clients import senders
from tests.clients.mails import Mail
from tests.clients.senders import Send, Transport
from tests.flow.reading import text_of
from tests.guard import SENDER, Guard

RULES = """
internal_domains = ["corp.example"]
margin = "0s"

[[rule]]
name = "external"
when = { to = "external" }
delay = "1h"

[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
approvers = ["alice@corp.example"]

[checks]
forgotten_attachment = { action = "delay", delay = "2h" }
"""
CLIENTS = {name: getattr(senders, name) for name in ("swaks", "mutt_text", "nodemailer", "msmtp", "python")}


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard whose mail leaves into a folder."""
    directory = tmp_path_factory.mktemp("notices")
    with guards.running(directory, {"kind": "maildir", "path": "outgoing"}, rules=RULES) as started:
        yield started


def how(client: Send) -> Transport:
    """With a login, where the program can: swaks needs a library of Perl for it that is not everywhere."""
    return Transport.PLAIN if client is senders.swaks else Transport.TLS


def letter(to: str, subject: str, text: str, sender: str = SENDER) -> Mail:
    content = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{text}\r\n"
    return Mail(recipients=(to,), content=content.encode(), subject=subject)


def own_mail(guard: Guard) -> list[EmailMessage]:
    """What the guard has written so far, oldest first."""
    found = []
    for path in sorted(
        (guard.directory / "outgoing" / "new").glob("*"), key=lambda one: one.stat().st_mtime_ns
    ):
        parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        if str(parsed["From"]).startswith("mailguard"):
            found.append(parsed)
    return found


def written(guard: Guard, about: str, count: int = 1) -> EmailMessage:
    """The newest of `count` mails about this message, as soon as it has left."""
    deadline = time.monotonic() + 30
    while len(found := [one for one in own_mail(guard) if about in one.as_string()]) < count:
        assert time.monotonic() < deadline, guard.log()
        time.sleep(0.05)
    return found[-1]


def held(guard: Guard, client: Send, home: Path) -> tuple[str, EmailMessage]:
    """A message with something to decide: its id, and the notice about it."""
    subject = f"Figures {time.monotonic_ns()}"
    client(guard, how(client), letter("b@client.example", subject, "Please find attached the figures."), home)
    message = guard.wait_for(lambda one: one["subject"] == subject)
    return str(message["id"]), written(guard, str(message["id"]))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_reply_to_the_notice_stops_it(guard: Guard, client: str, tmp_path: Path) -> None:
    send = CLIENTS[client]
    message_id, notice = held(guard, send, tmp_path)
    assert notice["To"] == SENDER and notice["Auto-Submitted"] == "auto-generated"
    quoted = "".join(f"> {line}\r\n" for line in text_of(notice).splitlines())
    text = f"Le dim. 22 nov. 2026 à 11:00, mailguard a écrit :\r\n{quoted}"
    send(guard, how(send), letter(notice["Reply-To"], f"RE: {notice['Subject']}", text), tmp_path)
    answer = written(guard, message_id, 2)
    assert guard.ask("show", message_id)["state"] == "cancelled"
    assert "will not go to b@client.example" in text_of(answer)


def test_more_time_and_then_now(guard: Guard, tmp_path: Path) -> None:
    message_id, notice = held(guard, senders.msmtp, tmp_path)
    before = guard.ask("show", message_id)["release_at"]
    for said in ("attendre 30m", "envoyer"):
        mail = letter(notice["Reply-To"], "RE: x", f"{said}\r\n\r\n-- \r\nAlice\r\nsend")
        senders.msmtp(guard, Transport.TLS, mail, tmp_path)
        if said.startswith("attendre"):
            assert guard.ask("show", message_id)["release_at"] > before
    guard.wait_for(lambda one: one["id"] == message_id and one["state"] == "sent")


def test_an_approver_gets_the_message_and_decides_by_a_reply(guard: Guard, tmp_path: Path) -> None:
    subject = f"Results {time.monotonic_ns()}"
    mail = letter("x@newspaper.example", subject, "Not for all.", "bob@corp.example")
    # Bob sends from the trusted network; Alice, the approver, has a login.
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as session:
        session.sendmail("bob@corp.example", list(mail.recipients), mail.content)
    message = guard.wait_for(lambda one: one["subject"] == subject)
    assert message["state"] == "approval"
    question = written(guard, f"approve+{message['id']}+")
    assert question["To"] == SENDER
    assert "Not for all." in question.as_string()
    reply = letter(question["Reply-To"], f"RE: {question['Subject']}", "Approuver, merci")
    senders.msmtp(guard, Transport.TLS, reply, tmp_path)
    assert guard.ask("show", str(message["id"]))["state"] == "held"
    assert written(guard, "alice has approved your message.")["To"] == "bob@corp.example"


def test_finished_notices_are_not_in_the_list(guard: Guard, tmp_path: Path) -> None:
    message_id, _ = held(guard, senders.msmtp, tmp_path)
    deadline = time.monotonic() + 30
    while guard.ask("status")["messages"]["queued"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    listed = guard.ask("queue", "--all")
    assert message_id in [one["id"] for one in listed]
    assert [one["subject"] for one in listed if not one["sender"]] == []
