"""Every verb against a real guard, running and stopped: the answer, the JSON, the exit code."""

import json
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests.guard import Guard

RULES = (
    guards.RULES
    + """
[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
approvers = ["bob@corp.example"]

[[rule]]
name = "big"
when = { to = "@big.example" }
action = "confirm"
"""
)


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard whose mail leaves into a folder."""
    directory = tmp_path_factory.mktemp("verbs")
    with guards.running(directory, {"kind": "maildir", "path": "outgoing"}, rules=RULES) as started:
        yield started


def send(guard: Guard, *to: str) -> str:
    """Alice sends a message; its id."""
    content = f"From: alice@corp.example\r\nTo: {to[0]}\r\nSubject: Cost cuts\r\n\r\nTwo less.\r\n"
    with smtplib.SMTP("127.0.0.1", guard.port) as session:
        session.ehlo()
        session.mail("alice@corp.example")
        for address in to:
            assert session.rcpt(address)[0] == 250
        code, text = session.data(content)
    assert code == 250
    return text.decode().split(" as ")[1].split()[0]


def code(guard: Guard, *arguments: str) -> int:
    """The exit code of a verb."""
    return guard.verb(*arguments).returncode


def states(guard: Guard, message_id: str) -> tuple[str, list[str]]:
    """The message's state and its recipients'."""
    shown = guard.ask("show", message_id)
    return shown["state"], [recipient["state"] for recipient in shown["recipients"]]


def test_cancel_restore_release(guard: Guard) -> None:
    message = send(guard, "client@customer.example")
    assert code(guard, "cancel", message) == 0
    assert code(guard, "cancel", message) == 0
    assert states(guard, message) == ("cancelled", ["dropped"])
    assert code(guard, "restore", message) == 0
    assert states(guard, message)[0] == "held"
    assert code(guard, "release", message) == 0
    guard.wait_for(lambda m: m["id"] == message and m["state"] == "sent")
    late = guard.verb("cancel", message)
    assert late.returncode == 4
    assert "it left to client@customer.example" in late.stderr
    assert code(guard, "restore", message) == 4
    assert code(guard, "release", message) == 0


def test_drop_one_recipient(guard: Guard) -> None:
    message = send(guard, "client@customer.example", "boss@elsewhere.example")
    assert code(guard, "cancel", message[:8], "--to", "CLIENT@customer.example") == 0
    assert states(guard, message) == ("held", ["dropped", "waiting"])
    wrong = guard.verb("cancel", message, "--to", "nobody@x.example")
    assert wrong.returncode == 2
    assert "boss@elsewhere.example" in wrong.stderr


def test_freeze_thaw_extend(guard: Guard) -> None:
    message = send(guard, "client@customer.example")
    assert code(guard, "freeze", message) == 0
    assert states(guard, message)[0] == "frozen"
    assert code(guard, "thaw", message) == 0
    before = guard.ask("show", message)["release_at"]
    assert code(guard, "extend", message, "--by", "30m") == 0
    assert guard.ask("show", message)["release_at"] > before
    assert code(guard, "extend", message, "--until", "2040-01-01T00:00:00Z") == 2
    for nonsense in ([], ["--by", "soon"], ["--by", "5m", "--until", "18:30"], ["--until", "never"]):
        assert code(guard, "extend", message, *nonsense) == 2


def test_confirm_and_approve_and_reject(guard: Guard) -> None:
    asked = send(guard, "a@big.example")
    assert states(guard, asked)[0] == "confirm"
    assert code(guard, "approve", asked) == 2
    assert code(guard, "confirm", asked) == 0
    assert states(guard, asked)[0] == "held"
    first, second = send(guard, "e@newspaper.example"), send(guard, "e@newspaper.example")
    assert code(guard, "release", first) == 2
    assert code(guard, "approve", first) == 0
    assert code(guard, "reject", second) == 2
    assert code(guard, "reject", second, "--reason", "not before Monday") == 0
    assert states(guard, second)[0] == "rejected"
    returned = guard.wait_for(lambda m: m["sender"] == "" and m["state"] == "sent")
    assert returned["recipients"][0]["address"] == "alice@corp.example"


def test_several_ids_at_once_and_an_unknown_one(guard: Guard) -> None:
    one, two = send(guard, "client@customer.example"), send(guard, "client@customer.example")
    done = guard.verb("cancel", one, "zzzzzzzzzzzz", two, "--json")
    assert done.returncode == 3
    assert [each["result"] for each in json.loads(done.stdout)] == ["done", "no_such_message", "done"]


def test_show_and_its_bytes(guard: Guard) -> None:
    message = send(guard, "client@customer.example")
    shown = guard.ask("show", message)
    assert shown["subject"] == "Cost cuts"
    assert [event["event"] for event in shown["events"]] == ["received"]
    assert guard.raw(message).endswith(b"\r\n\r\nTwo less.\r\n")
    for words in (["show", message], ["queue"], ["queue", "--all"], ["status"]):
        assert guard.verb(*words).returncode == 0
    assert message in guard.verb("queue").stdout
    assert code(guard, "show", "zzzzzzzzzzzz") == 3


def test_the_queue_can_be_narrowed(guard: Guard) -> None:
    message = send(guard, "client@customer.example")
    assert message in [
        m["id"] for m in guard.ask("queue", "--state", "held", "--sender", "alice@corp.example")
    ]
    assert guard.ask("queue", "--sender", "nobody@corp.example") == []
    assert len(guard.ask("queue", "--limit", "1")) == 1
    assert code(guard, "queue", "--state", "lost") == 2


def test_try_says_what_would_happen(guard: Guard, tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_bytes(b"From: alice@corp.example\nTo: e@newspaper.example\nSubject: x\n\nhello\n")
    verdict = guard.ask("try", str(mail))
    assert (verdict["action"], verdict["approvers"]) == ("approve", ["bob@corp.example"])
    assert "wait for an approver" in guard.verb("try", str(mail)).stdout
    inside = guard.ask("try", str(mail), "--to", "boss@corp.example", "--from", "alice@corp.example")
    assert inside["action"] == "none"
    other = tmp_path / "other.toml"
    other.write_text('internal_domains = ["newspaper.example"]\n')
    assert guard.ask("try", str(mail), "--rules", str(other))["action"] == "none"
    other.write_text("[[rule]\n")
    assert code(guard, "try", str(mail), "--rules", str(other)) == 2


def test_replay_asks_new_rules_about_past_mail(guard: Guard, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    everything = '[[rule]]\nname = "all of it"\ndelay = "1h"\n'
    other.write_text(everything + '[[rule]]\nname = "words"\nwhen = { body = "x" }\ndelay = "1h"\n')
    send(guard, "client@customer.example")
    told = guard.ask("replay", "--rules", str(other))
    assert told["held_now"] == told["messages"] == told["rules"]["all of it"] > 0
    assert told["unanswered"] == ["words"]
    shown = guard.verb("replay", "--rules", str(other)).stdout
    assert "these rules would hold" in shown and "words: cannot be asked" in shown
    assert guard.ask("replay", "--since", "0s")["messages"] == 0
    assert code(guard, "replay", "--since", "soon") == 2


def test_a_reload_takes_good_rules_and_keeps_the_old_ones_otherwise(guard: Guard) -> None:
    path = guard.directory / "rules.toml"
    try:
        path.write_text(RULES.replace('delay = "1h"', 'delay = "soon"'))
        bad = guard.verb("reload")
        assert bad.returncode == 2
        assert "rules.toml:9" in bad.stderr
        assert guard.ask("status")["reload_errors"]
        assert guard.ask("status")["rules"] == ["external", "press", "big"]
    finally:
        path.write_text(RULES)
    assert code(guard, "reload") == 0
    assert guard.ask("status")["reload_errors"] == []


def test_a_second_guard_on_the_same_store_does_not_start(guard: Guard) -> None:
    second = guard.verb("serve")
    assert second.returncode == 75
    assert "another mailguard" in second.stderr


def test_check_config_and_doctor(guard: Guard, tmp_path: Path) -> None:
    assert guard.ask("check-config") == {"ok": True, "errors": [], "remarks": []}
    broken = tmp_path / "mailguard.toml"
    broken.write_text("[smtp]\nmax_recipient = 3\n[upstream]\nkind = 'smtp'\n")
    done = subprocess.run(
        [guards.PROGRAM, "check-config", "--config", broken],
        capture_output=True,
        text=True,
        check=False,
        env=guards.environment(),
    )
    assert done.returncode == 2
    assert "mailguard.toml:2" in done.stderr
    assert "max_recipients" in done.stderr
    assert guard.verb("doctor").returncode == 0, guard.verb("doctor").stdout


def test_the_verbs_work_while_the_guard_is_stopped(tmp_path: Path) -> None:
    stopped = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"}, rules=RULES)
    stopped.start()
    message = send(stopped, "client@customer.example")
    stopped.stop()
    status = stopped.ask("status")
    assert status["running"] is False
    assert status["messages"]["held"] == 1
    assert [m["id"] for m in stopped.ask("queue")] == [message]
    assert code(stopped, "cancel", message) == 0
    assert code(stopped, "reload") == 0
    stopped.start()
    try:
        assert states(stopped, message)[0] == "cancelled"
        assert code(stopped, "restore", message) == 0
    finally:
        stopped.stop()
    assert code(stopped, "release", message) == 0
    stopped.start()
    try:
        stopped.wait_for(lambda m: m["id"] == message and m["state"] == "sent")
    finally:
        stopped.stop()


def test_a_guard_that_is_starting_asks_to_try_again(tmp_path: Path) -> None:
    stopped = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"})
    stopped.start()
    try:
        (tmp_path / "state" / "control.sock").unlink()
        assert code(stopped, "queue") == 75
    finally:
        stopped.stop()


def test_help_and_nonsense() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([guards.PROGRAM, *arguments], capture_output=True, text=True, check=False)

    assert "cancel" in run("--help").stdout
    assert "Exit codes" in run("--help").stdout
    assert run("--version").stdout.startswith("mailguard, version ")
    assert run("destroy").returncode == 2
    assert run("cancel").returncode == 2


def test_a_taken_port_is_told_plainly(tmp_path: Path) -> None:
    stopped = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stopped.port))
        taken.listen()
        done = stopped.verb("serve")
    assert done.returncode == 2
    assert str(stopped.port) in done.stderr
    assert "Traceback" not in done.stderr
