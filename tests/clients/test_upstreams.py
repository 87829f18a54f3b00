"""Real outgoing servers behind the real guard: Postfix, and Postfix's smtp-sink."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests import guard as guards
from tests import sink as sinks
from tests.clients import senders
from tests.clients.mails import Mail, is_of, some_mail, without_bcc
from tests.clients.senders import Transport
from tests.postfix import Postfix
from tests.programs import free_port, require, require_root

# The mail is for anybody, and every recipient has a Maildir.
MAILBOXES = {
    "virtual_mailbox_domains": "client.example partner.example spy.example",
    "virtual_mailbox_base": "/",
    "virtual_uid_maps": "static:65534",
    "virtual_gid_maps": "static:65534",
    "virtual_transport": "virtual",
}


@pytest.fixture
def postfix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postfix]:
    """A Postfix that delivers every recipient's mail into one Maildir, with a certificate for localhost."""
    require("postfix")
    require_root()
    server = Postfix(MAILBOXES)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(server.directory / "ca.pem"))
    chain = authority.issue_cert("localhost").private_key_and_cert_chain_pem
    chain.write_to_path(str(server.directory / "chain.pem"))
    boxes = server.directory / "boxes"
    boxes.mkdir(mode=0o777)
    boxes.chmod(0o777)
    settings = server.directory / "etc" / "main.cf"
    with settings.open("a") as lines:
        lines.write(f"virtual_mailbox_maps = static:{str(boxes)[1:]}/\n")
        lines.write(f"smtpd_tls_chain_files = {server.directory}/chain.pem\nsmtpd_tls_security_level = may\n")
    try:
        server.start()
        yield server
    finally:
        server.stop()


def delivered(postfix: Postfix, count: int) -> list[bytes]:
    """The mail in the Maildir, once there are `count` of them."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = sorted((postfix.directory / "boxes" / "new").glob("*"))
        if len(found) >= count:
            return [path.read_bytes() for path in found]
        time.sleep(0.1)
    raise AssertionError(f"Postfix did not deliver {count}:\n{postfix.log()[-3000:]}")


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_through_postfix_into_mailboxes(postfix: Postfix, tmp_path: Path, tls: str) -> None:
    mail, stopped = some_mail(), some_mail()
    upstream = {**guards.smtp_upstream(postfix.port), "host": "localhost", "tls": tls}
    upstream |= {"ca_file": str(postfix.directory / "ca.pem")} if tls == "starttls" else {}
    with guards.running(tmp_path, upstream) as guard:
        senders.python(guard, Transport.STARTTLS, mail, tmp_path)
        senders.python(guard, Transport.STARTTLS, stopped, tmp_path)
        assert guard.verb("cancel", guard.wait_for(is_of(stopped))["id"]).returncode == 0
        held = guard.wait_for(is_of(mail))
        assert guard.verb("release", held["id"]).returncode == 0
        copies = delivered(postfix, len(mail.recipients))
        sent = guard.wait_for(lambda message: message["id"] == held["id"] and message["state"] == "sent")
    assert {one["state"] for one in sent["recipients"]} == {"sent"}
    assert all(one["reply"].startswith("250 2.0.0") for one in sent["recipients"])

    wanted = without_bcc(mail.content).replace(b"\r\n", b"\n")
    assert len(copies) == len(mail.recipients)
    for copy in copies:
        assert copy.endswith(wanted)
        # Postfix's own header fields come first, then the guard's one Received, then the sender's bytes.
        added = copy.removesuffix(wanted)
        assert added.count(b"\nReceived: ") == 2
        assert b"by guard.corp.example" in added.rpartition(b"\nReceived: ")[2]
        assert b"Bcc:" not in copy.partition(b"\n\n")[0]
    assert stopped.subject not in postfix.log()
    taken_by_postfix = copies[0].partition(b"by guard.corp.example")[0]
    assert (b"with ESMTPS id" in taken_by_postfix) == (tls == "starttls")


def test_what_postfix_refuses_is_told_recipient_by_recipient(postfix: Postfix, tmp_path: Path) -> None:
    mail = some_mail()
    refused = "nobody@elsewhere.example"
    mixed = Mail(recipients=(mail.recipients[0], refused), content=mail.content, subject=mail.subject)
    postfix.run(
        "postconf", "-e", f"smtpd_recipient_restrictions = check_recipient_access inline:{{{refused}=REJECT}}"
    )
    postfix.run("postfix", "reload")
    with guards.running(tmp_path, guards.smtp_upstream(postfix.port)) as guard:
        senders.python(guard, Transport.PLAIN, mixed, tmp_path)
        held = guard.wait_for(is_of(mail))
        assert guard.verb("release", held["id"]).returncode == 0
        ended = guard.wait_for(lambda message: message["id"] == held["id"] and message["state"] == "failed")
    states = {one["address"]: one["state"] for one in ended["recipients"]}
    assert states == {mail.recipients[0]: "sent", refused: "failed"}
    assert len(delivered(postfix, 1)) >= 1


def test_an_answer_that_was_lost_is_told_of(tmp_path: Path) -> None:
    """smtp-sink, told to end with its first message, ends before it answers: nobody can know if it has it."""
    program, port = require("smtp-sink", package="postfix"), free_port()
    mail = some_mail()
    with guards.running(tmp_path, guards.smtp_upstream(port)) as guard:
        senders.python(guard, Transport.PLAIN, mail, tmp_path)
        held = guard.wait_for(is_of(mail))
        sink = subprocess.Popen([program, "-M", "1", "-u", "nobody", f"127.0.0.1:{port}", "100"])
        try:
            await_port(port)
            assert guard.verb("release", held["id"]).returncode == 0
            assert sink.wait(20) == 0
        finally:
            sink.kill()
            sink.wait()
        later = guard.wait_for(
            lambda message: message["id"] == held["id"] and message["recipients"][0]["state"] == "deferred"
        )
        told = [
            event for event in guard.ask("show", held["id"])["events"] if "may_arrive_twice" in str(event)
        ]
    assert later["state"] == "queued"
    assert told


@pytest.mark.slow
def test_an_upstream_that_is_down_gets_it_later(tmp_path: Path) -> None:
    port = free_port()
    mail = some_mail()
    with guards.running(tmp_path, guards.smtp_upstream(port)) as guard:
        senders.python(guard, Transport.PLAIN, mail, tmp_path)
        held = guard.wait_for(is_of(mail))
        assert guard.verb("release", held["id"]).returncode == 0
        waiting = guard.wait_for(
            lambda message: message["id"] == held["id"] and message["recipients"][0]["state"] == "deferred"
        )
        assert waiting["state"] == "queued"
        assert waiting["recipients"][0]["reply"]
        # A restart neither loses the message nor begins anew with it.
        guard.stop()
        guard.start()
        with sinks.running(port) as sink:
            # The second try is made a minute after the first.
            sink.wait(lambda delivery: mail.subject.encode() in delivery.content, timeout=90)
            guard.wait_for(lambda message: message["id"] == held["id"] and message["state"] == "sent")
        assert len(sink.deliveries) == 1


def await_port(port: int) -> None:
    """Return when somebody listens there; asking costs smtp-sink no message."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on port {port}")
