"""A stopped message is had back from a whole guard, mended, and sent again."""

import email
import email.policy
import smtplib
import ssl
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import dovecot
from tests import guard as guards
from tests.dovecot import Dovecot
from tests.guard import LOGIN, PASSWORD, SENDER, Guard


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    with dovecot.running() as running:
        yield running


def configured(directory: Path, more: str = "") -> Guard:
    guard = guards.configured(directory, {"kind": "maildir", "path": "outgoing"})
    with (directory / "mailguard.toml").open("a") as file:
        file.write(more)
    guard.start()
    return guard


def drafts(server: Dovecot, password: str = dovecot.PASSWORD) -> str:
    """The section of the configuration."""
    return f"""
[drafts]
host = "localhost"
port = {server.tls_port}
ca_file = "{server.ca}"
username = "{dovecot.MASTER}"
password = "{password}"
"""


def send(guard: Guard, content: bytes, *to: str) -> None:
    with smtplib.SMTP_SSL("localhost", guard.tls_port, context=_trusting(guard)) as client:
        client.login(LOGIN, PASSWORD)
        client.sendmail(SENDER, to, content)


def _trusting(guard: Guard) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=guard.ca)


def written() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, "client@customer.example", "Cost cuts"
    mail["Message-ID"] = "<one@corp.example>"
    mail.set_content("Two positions less.")
    return mail.as_bytes(policy=email.policy.SMTP)


def left(folder: Path) -> EmailMessage:
    """The first mail that left; the guard's own stands in no list."""
    deadline = time.monotonic() + 20
    while not (found := sorted(folder.glob("*"))):
        assert time.monotonic() < deadline, "nothing left"
        time.sleep(0.05)
    parsed = email.message_from_bytes(found[0].read_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_into_the_senders_folder_mended_and_sent_again(tmp_path: Path, mailboxes: Dovecot) -> None:
    guard = configured(tmp_path, drafts(mailboxes))
    try:
        send(guard, written(), "client@customer.example", "secret@customer.example")
        held = guard.wait_for(lambda one: one["state"] == "held")["id"]
        done = guard.verb("edit", held, "--drafts")
        assert (done.returncode, done.stdout) == (0, "")
        assert "it is in the folder Entwürfe of its sender" in done.stderr
        assert "Sent folder" in done.stderr
        content = mailboxes.drafts()[-1][1]
        draft = email.message_from_bytes(content, policy=email.policy.default)
        assert (draft["Bcc"], draft["Message-ID"]) == ("secret@customer.example", None)
        draft.replace_header("To", "colleague@customer.example")
        with smtplib.SMTP_SSL("localhost", guard.tls_port, context=_trusting(guard)) as client:
            client.login(LOGIN, PASSWORD)
            client.send_message(draft)
        again = guard.wait_for(lambda one: one["state"] == "held" and one["id"] != held)
        addresses = {one["address"] for one in again["recipients"]}
        assert addresses == {"colleague@customer.example", "secret@customer.example"}
    finally:
        assert guard.stop() == 0
    assert dovecot.PASSWORD not in guard.log()


def test_a_reply_by_mail_puts_it_there(tmp_path: Path, mailboxes: Dovecot) -> None:
    guard = configured(tmp_path, drafts(mailboxes))
    try:
        before = len(mailboxes.drafts())
        send(guard, written(), "client@customer.example")
        held = guard.wait_for(lambda one: one["state"] == "held")["id"]
        send(guard, b"Subject: Re: Held\r\n\r\nedit\r\n", f"cancel+{held}@guard.corp.example")
        assert len(mailboxes.drafts()) == before + 1
        answer = left(tmp_path / "outgoing" / "new")
        assert answer["To"] == SENDER
        text = answer.get_body(("plain",))
        assert text is not None
        assert "folder Entwürfe of your mailbox" in text.get_content()
    finally:
        assert guard.stop() == 0


def test_a_password_that_is_wrong_loses_nothing(tmp_path: Path, mailboxes: Dovecot) -> None:
    guard = configured(tmp_path, drafts(mailboxes, "wrong"))
    try:
        send(guard, written(), "client@customer.example")
        held = guard.wait_for(lambda one: one["state"] == "held")["id"]
        done = guard.verb("edit", held, "--drafts")
        assert done.returncode == 75
        assert done.stdout.startswith("X-Unsent: 1\n")
        assert "does not let the guard into the sender's mailbox" in done.stderr
    finally:
        assert guard.stop() == 0


def test_a_file_while_the_guard_runs_and_while_it_is_stopped(tmp_path: Path) -> None:
    guard = configured(tmp_path)
    try:
        send(guard, written(), "client@customer.example")
        held = guard.wait_for(lambda one: one["state"] == "held")["id"]
        running = guard.verb("edit", held)
    finally:
        assert guard.stop() == 0
    stopped = guard.verb("edit", held)
    assert running.returncode == stopped.returncode == 0
    assert running.stdout == stopped.stdout
    parsed = email.message_from_string(stopped.stdout, policy=email.policy.default)
    assert (parsed["X-Unsent"], parsed["Subject"]) == ("1", "Cost cuts")
    assert guard.verb("edit", "zzzz").returncode == 3
