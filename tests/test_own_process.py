"""SMTP in a process of its own: one guard all the same, whatever happens to either of the two."""

import base64
import contextlib
import json
import os
import signal
import smtplib
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailguard.edge import control_client
from tests import guard as guards
from tests import sink as sinks
from tests.guard import Guard
from tests.odd_mail import ODD_MAIL
from tests.programs import free_port
from tests.promises.talking import until
from tests.sink import Sink

OWN = "own_process = true\n"
TO = "client@customer.example"
# As many as make somebody a usual contact.
MAILS = 12


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The upstream that remembers."""
    with sinks.running() as upstream:
        yield upstream


def submit(guard: Guard, content: bytes, to: str = TO) -> bytes:
    """Hand one message in; the answer."""
    with smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        session.mail("alice@corp.example")
        session.rcpt(to)
        code, text = session.data(content)
    return b"%d %s" % (code, text)


def mail(subject: str) -> bytes:
    """A small message."""
    return f"From: alice@corp.example\r\nTo: {TO}\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()


def _id(answer: bytes) -> str:
    return answer.split(b" as ")[1].split()[0].decode()


def children(pid: int) -> list[int]:
    """The processes below this one."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid: int) -> bool:
    """Whether it does anything still."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_mail_comes_in_is_held_and_leaves_through_it(sink: Sink, tmp_path: Path) -> None:
    with guards.running(tmp_path, guards.smtp_upstream(sink.port), smtp=OWN) as guard:
        [front] = children(guard.pid)
        answer = submit(guard, mail("one"))
        assert b"Held as" in answer
        message_id = _id(answer)
        assert guard.verb("release", message_id).returncode == 0
        assert sink.wait(lambda one: TO in one.recipients).content.endswith(b"Subject: one\r\n\r\nhello\r\n")
        assert guard.wait_for(lambda one: one["state"] == "sent")["id"] == message_id
        # Only the one process has to do with clients, and only the other one with the store.
        assert children(guard.pid) == [front]
        open_files = [os.readlink(one) for one in Path(f"/proc/{front}/fd").iterdir() if one.exists()]
        assert not [one for one in open_files if "queue.db" in one]
        assert "received id=" in guard.log()
    assert not runs(front)


def test_it_judges_as_one_process_does(tmp_path: Path) -> None:
    """Odd mail, and mail whose header is in no charset at all: the same answers, findings and history."""
    odd = [
        *ODD_MAIL,
        b"Subject: \xff\xfe\r\nFrom: <a@corp.example>\r\nTo: \xe9\xff <client@customer.example>\r\n\r\nx\r\n",
        b"From: a@corp.example\r\nSubject: see the attached file\r\n\r\nPlease find it attached.\r\n",
        b"From: a@corp.example\r\nIn-Reply-To: <a@b>\r\nSubject: Re: x\r\n\r\nDear Bob,\r\n",
    ]
    told = []
    for name, smtp in (("one", ""), ("two", OWN)):
        (tmp_path / name).mkdir()
        with guards.running(tmp_path / name, {"kind": "maildir", "path": "out"}, smtp=smtp) as guard:
            answers = [submit(guard, content).split(b" as ")[0] for content in odd]
            messages = guard.ask("queue", "--all")
        found = sorted(
            json.dumps({key: one[key] for key in ("subject", "findings", "rules", "state", "size")})
            for one in messages
        )
        told.append((answers, found))
    assert told[0] == told[1]
    assert len(told[0][1]) == len(odd)
    assert any('"findings": [{' in one for one in told[0][1])


def test_it_remembers_what_left_and_has_it_again_after_a_restart(tmp_path: Path) -> None:
    """The memory is in the process that judges, its log in the store of the other one."""
    boss, slip = "robert.stone@corp.example", "robert.stone@corp-mail.example"
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN)
    guard.start()
    try:
        for number in range(MAILS):
            assert b"Queued as" in submit(
                guard, mail(f"plan {number}").replace(TO.encode(), boss.encode()), boss
            )
        until(lambda: guard.ask("status")["memory"]["mails"] == MAILS)
        answers = [submit(guard, mail("first").replace(TO.encode(), slip.encode()), slip)]
        assert guard.stop() == 0
        guard.start()
        until(lambda: guard.ask("status")["memory"]["mails"] == MAILS)
        answers.append(submit(guard, mail("second").replace(TO.encode(), slip.encode()), slip))
        found = [{one["check"] for one in guard.ask("show", _id(answer))["findings"]} for answer in answers]
        assert found[0] == found[1] != set()
        assert "wrong_namesake" in found[0] or "lookalike_address" in found[0]
        assert guard.ask("forget", boss, "--yes")
        until(lambda: guard.ask("status")["memory"]["mails"] == 0)
    finally:
        assert guard.stop() == 0


def test_new_rules_hold_for_the_memory_too(tmp_path: Path) -> None:
    """Also where no message has come in since, by which the other process would hear of them."""
    forgetful = 'remember = "0s"\n' + guards.RULES
    with guards.running(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN, rules=forgetful) as guard:
        answer = submit(guard, mail("one"))
        (tmp_path / "rules.toml").write_text(guards.RULES)
        assert guard.verb("reload").returncode == 0
        assert guard.verb("release", _id(answer)).returncode == 0
        until(lambda: guard.ask("status")["memory"]["mails"] == 1)


def test_new_rules_hold_for_the_next_message(tmp_path: Path) -> None:
    with guards.running(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN) as guard:
        for number in range(6):
            name = f"rule{number}"
            (tmp_path / "rules.toml").write_text(guards.RULES.replace('"external"\nwhen', f'"{name}"\nwhen'))
            assert guard.verb("reload").returncode == 0
            # Also where the next message is there before the other process has read them.
            assert f": {name}".encode() in submit(guard, mail(name))


def test_a_refusal_that_is_no_rule_any_more_refuses_nobody(tmp_path: Path) -> None:
    refusing = guards.RULES.replace('delay = "1h"', 'action = "refuse"\ntext = "Not to the outside"')
    with guards.running(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN, rules=refusing) as guard:
        assert submit(guard, mail("one")).startswith(b"550 5.7.1 Not to the outside")
        (tmp_path / "rules.toml").write_text(guards.RULES)
        assert guard.verb("reload").returncode == 0
        assert b"Held as" in submit(guard, mail("two"))
        (tmp_path / "rules.toml").write_text(refusing)
        assert guard.verb("reload").returncode == 0
        assert submit(guard, mail("three")).startswith(b"550")


def test_wrong_passwords_count_at_every_way_in(tmp_path: Path) -> None:
    with guards.running(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN, web="\n") as guard:
        page = f"http://127.0.0.1:{guard.web_port}/sign-in"

        def by_page(password: str) -> int:
            form = urllib.parse.urlencode({"login": guards.LOGIN, "password": password}).encode()
            headers = {"Origin": f"http://127.0.0.1:{guard.web_port}"}
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(page, form, headers), timeout=30
                ) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as refused:
                return refused.code

        def by_mail(password: str) -> int:
            with smtplib.SMTP_SSL("127.0.0.1", guard.tls_port, timeout=60) as session:
                session.ehlo()
                code, _ = session.docmd("AUTH PLAIN " + _plain(password))
                return code

        assert by_mail(guards.PASSWORD) == 235
        # Twenty wrong ones of one login from one address are all that is listened to.
        with ThreadPoolExecutor(20) as people:
            wrong = list(people.map(by_page, [f"wrong {number}" for number in range(20)]))
        assert set(wrong) == {403}
        assert by_mail(guards.PASSWORD) == 421
        assert by_page(guards.PASSWORD) == 429


def _plain(password: str) -> str:
    return base64.b64encode(f"\0{guards.LOGIN}\0{password}".encode()).decode()


def test_killed_it_takes_the_other_with_it_and_the_next_guard_goes_on(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), smtp=OWN)
    guard.start()
    [front] = children(guard.pid)
    answer = submit(guard, mail("kept"))
    assert guard.process
    guard.process.kill()
    guard.process.wait()
    # At once: the lock tells when the other one is gone, and the port is free then.
    guard.start()
    assert not runs(front)
    try:
        message_id = _id(answer)
        assert guard.verb("release", message_id).returncode == 0
        sink.wait(lambda one: TO in one.recipients)
        assert b"Held as" in submit(guard, mail("again"))
    finally:
        assert guard.stop() == 0


def test_a_front_that_hangs_holds_the_lock_no_longer_than_it_lives(tmp_path: Path) -> None:
    """It is stopped, so that it cannot see the end of the other one; it may have a message half sent."""
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN)
    guard.start()
    [front] = children(guard.pid)
    os.kill(front, signal.SIGSTOP)
    assert guard.process
    guard.process.kill()
    guard.process.wait()
    guard.start()
    assert not runs(front)
    assert guard.stop() == 0


def test_where_the_front_is_killed_the_guard_ends_and_says_why(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), smtp=OWN)
    guard.start()
    answer = submit(guard, mail("kept"))
    [front] = children(guard.pid)
    os.kill(front, signal.SIGKILL)
    assert guard.process
    assert guard.process.wait(30) == 1
    assert "mailguard cannot start" not in guard.log()
    assert "the process that speaks SMTP has ended" in guard.log()
    guard.start()
    assert guard.ask("queue")[0]["id"] == _id(answer)
    assert guard.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_with_all_its_processes_it_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """As a terminal and a service manager tell it; a message that is coming in comes to its end."""
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "out"}, smtp=OWN)
    guard.start()
    [front] = children(guard.pid)
    with contextlib.suppress(smtplib.SMTPResponseException), smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        session.mail("alice@corp.example")
        session.rcpt(TO)
        session.docmd("DATA")
        session.send(mail("half")[:40])
        # So that the half has been read.
        time.sleep(0.2)
        os.kill(front, number)
        os.kill(guard.pid, number)
        time.sleep(0.5)
        session.send(mail("half")[40:] + b".\r\n")
        assert session.getreply()[0] == 250
        # Goodbye has been said already.
    assert guard.process
    assert guard.process.wait(20) == 0
    assert not runs(front)
    assert "Traceback" not in guard.log()
    assert guard.ask("queue")[0]["subject"] == "half"


def test_a_port_that_is_taken_is_told_as_ever(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), smtp=OWN)
    settings = tmp_path / "mailguard.toml"
    settings.write_text(settings.read_text().replace(f":{guard.port}", f":{sink.port}"))
    command = [str(guards.PROGRAM), "serve", "--config", str(settings)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, env=guards.environment()
    )
    assert done.returncode == 2
    assert f"127.0.0.1:{sink.port}: listen: cannot listen there" in done.stderr


def test_the_status_tells_of_an_upstream_that_is_out(tmp_path: Path) -> None:
    nobody = guards.smtp_upstream(free_port())
    with guards.running(tmp_path, nobody, smtp=OWN) as guard:
        answer = submit(guard, mail("waits"))
        guard.verb("release", _id(answer))

        def told() -> bool:
            status = control_client.ask(tmp_path / "state" / "control.sock", {"verb": "status"})
            return "the outgoing server" in str(status)

        until(told)
