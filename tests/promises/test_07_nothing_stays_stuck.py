"""Nothing stays stuck: whatever waits has a next time, and what is overdue is counted."""

import socket
from pathlib import Path

from tests import guard as guards
from tests.guard import SENDER, Guard
from tests.promises.talking import RULES, Promise, ask, hand_in, letter, shown, until
from tests.sink import Sink


def test_what_nobody_says_yes_to_goes_back_to_its_sender(guard: Guard, sink: Sink) -> None:
    promise = hand_in(guard, letter("nobody says yes"), "boss@impatient.example")
    assert shown(guard, promise.id)["state"] == "confirm"
    until(lambda: shown(guard, promise.id)["state"] == "expired")
    report = sink.wait(lambda delivery: b"nobody says yes" in delivery.content)
    assert (report.sender, report.recipients) == ("", (SENDER,))


def test_every_message_that_waits_has_a_next_time(tmp_path: Path) -> None:
    """By the guard's own word: a time to leave, a time to try again, or an end of the waiting."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        upstream = guards.smtp_upstream(closed.getsockname()[1])
        with guards.running(tmp_path, upstream, rules=RULES) as guard:
            promises = {
                "held": hand_in(guard, letter("1"), "b@client.example"),
                "frozen": hand_in(guard, letter("2"), "b@client.example"),
                "approval": hand_in(guard, letter("3"), "b@press.example"),
                "queued": hand_in(guard, letter("4"), "b@now.example"),
            }
            ask(guard, "freeze", promises["frozen"].id)
            until(lambda: _deferred(guard, promises["queued"]))
            assert {state: shown(guard, one.id)["state"] for state, one in promises.items()} == {
                state: state for state in promises
            }
            # A frozen message cannot be forgotten, and a deferred one not given up at once.
            assert shown(guard, promises["held"].id)["release_at"] is not None
            for state in ("frozen", "approval"):
                assert shown(guard, promises[state].id)["expires_at"] is not None
            assert shown(guard, promises["queued"].id)["recipients"][0]["state"] == "deferred"


def _deferred(guard: Guard, promise: Promise) -> bool:
    return bool(shown(guard, promise.id)["recipients"][0]["state"] == "deferred")


def test_what_is_overdue_is_counted(tmp_path: Path) -> None:
    """An upstream that takes the call and never says a word."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        upstream = guards.smtp_upstream(silent.getsockname()[1])
        guard = guards.configured(tmp_path, upstream, rules=RULES)
        guard.start()
        try:
            promise = hand_in(guard, letter("late"), "b@now.example")
            until(lambda: ask(guard, "status")["status"]["overdue"] == 1)
            status = ask(guard, "status")["status"]
            assert status["oldest_overdue"] is not None
            assert shown(guard, promise.id)["state"] == "relaying"
        finally:
            assert guard.process
            guard.process.kill()
            guard.process.wait()
