"""250 means on disk: a guard that is killed at any moment after it said so has the message, byte for byte.

tests/crash cuts the power between any two writes; here the process is killed under load."""

import smtplib
import threading
from pathlib import Path

from tests import guard as guards
from tests.guard import Guard
from tests.promises.talking import RULES, Promise, kill, letter, submit, until


def test_whatever_was_answered_with_250_is_there_after_kill_9(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"}, rules=RULES)
    guard.start()
    told: dict[str, bytes] = {}
    clients = [threading.Thread(target=_flood, args=(guard, number, told)) for number in range(4)]
    for client in clients:
        client.start()
    until(lambda: len(told) >= 40)
    kill(guard)
    for client in clients:
        client.join()
    guard.start()
    try:
        held = {message["id"] for message in guard.ask("queue")}
        assert told.keys() <= held
        # The last ones are those that a lazy disk would have lost.
        for message_id in list(told)[-3:]:
            assert guard.raw(message_id) == told[message_id]
    finally:
        guard.stop()


def _flood(guard: Guard, number: int, told: dict[str, bytes]) -> None:
    """Hand in message after message until the guard is gone."""
    try:
        with smtplib.SMTP("127.0.0.1", guard.port, timeout=10) as session:
            session.ehlo()
            for turn in range(10_000):
                content = letter(f"flood {number}.{turn}")
                promise: Promise = submit(session, content, ["b@client.example"])
                told[promise.id] = content
    except (OSError, smtplib.SMTPException):
        # The guard is gone, as it had to be.
        pass
