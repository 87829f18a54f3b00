"""The loop never blocks: no call over 50 ms on the event loop of the real program, and none that waits.

The guard runs with tests/promises/watch on its PYTHONPATH; nothing in the program knows of it."""

import json
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import guard as guards
from tests.guard import LOGIN, PASSWORD, Guard
from tests.promises.talking import RULES, ask, hand_in, letter, submit
from tests.sink import Sink

WATCH = Path(__file__).parent / "watch"
# Of the loop's own processor time, which a busy machine does not add to.
LIMIT = 0.050
MANY = 600
LARGE = letter("large", ("many words " * 8 + "\r\n") * 120_000)


@pytest.fixture
def watched(sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """A guard whose loop is watched from inside."""
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), rules=RULES)
    monkeypatch.setenv("PYTHONPATH", str(WATCH))
    monkeypatch.setenv("LOOP_REPORT", str(tmp_path / "loop.json"))
    guard.start()
    monkeypatch.undo()
    yield guard
    if guard.process and guard.process.poll() is None:
        guard.stop()


def test_no_call_on_the_loop_takes_over_50_ms_or_waits(watched: Guard) -> None:
    assert len(LARGE) > 10_000_000
    _many(watched)
    # The first look at the users file is the start's.
    _passwords(watched)
    (watched.directory / "loop.begin").touch()
    work: list[Callable[[Guard], None]] = [_large_bodies, _passwords, _reloads, _listings, _many]
    with ThreadPoolExecutor(len(work)) as clients:
        for done in [clients.submit(one, watched) for one in work]:
            done.result()
    assert watched.stop() == 0
    seen = json.loads((watched.directory / "loop.json").read_text())
    assert seen["beats"] > 100
    assert "BlockingError" not in watched.log()
    assert seen["longest"] < LIMIT, seen


def _large_bodies(guard: Guard) -> None:
    promises = [hand_in(guard, LARGE, "b@now.example") for _ in range(3)]
    for one in promises:
        ask(guard, "raw", one.id)


def _passwords(guard: Guard) -> None:
    context = ssl.create_default_context(cafile=str(guard.ca))
    for password in (PASSWORD, "wrong"):
        with smtplib.SMTP_SSL("localhost", guard.tls_port, context=context, timeout=60) as session:
            try:
                session.login(LOGIN, password)
            except smtplib.SMTPAuthenticationError:
                assert password == "wrong"


def _reloads(guard: Guard) -> None:
    more = "".join(
        f'[[rule]]\nname = "r{n}"\nwhen = {{ to = "u{n}@x.example" }}\ndelay = "1m"\n\n' for n in range(200)
    )
    for text in (RULES.replace("[checks]", more + "[checks]"), RULES, "[[rule]\n", RULES):
        (guard.directory / "rules.toml").write_text(text)
        ask(guard, "reload")


def _listings(guard: Guard) -> None:
    for _ in range(3):
        answer = ask(guard, "queue", all=True)
        assert len(answer["messages"]) >= MANY
        ask(guard, "status")


def _many(guard: Guard) -> None:
    def some(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", guard.port, timeout=60) as session:
            session.ehlo()
            for turn in range(MANY // 8 + 1):
                submit(session, letter(f"{number}.{turn}"), ["b@client.example"])

    threads = [threading.Thread(target=some, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
