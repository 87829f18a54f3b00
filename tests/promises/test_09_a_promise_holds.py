"""A promise holds: the time in the 250 is the time, whatever becomes of rules and guard in between."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import guard as guards
from tests.guard import Guard
from tests.promises.talking import RULES, Promise, ask, hand_in, kill, letter, shown, until
from tests.sink import Sink

SIX = RULES.replace('delay = "2s"', 'delay = "6s"')
# A machine under load is late; only the margin of one second may be on purpose.
LATE = timedelta(seconds=8)


def told(guard: Guard, promise: Promise) -> datetime:
    return datetime.fromisoformat(shown(guard, promise.id)["release_at"])


def test_what_was_told_is_what_happens(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), rules=SIX)
    rules = guard.directory / "rules.toml"
    guard.start()
    first = hand_in(guard, letter("first"), "first@soon.example")
    hour = hand_in(guard, letter("hour"), "hour@client.example")
    assert first.until is not None and hour.until is not None
    try:
        # Other rules: sooner for the one, later for the other.
        rules.write_text(SIX.replace('"6s"', '"2h"').replace('"1h"', '"0s"'))
        assert ask(guard, "reload")["told"] == "done"
        assert (told(guard, first), told(guard, hour)) == (first.until, hour.until)
        # A second guard on the same queue is turned away, and changes nothing.
        assert guard.verb("serve").returncode == 75
        assert (told(guard, first), told(guard, hour)) == (first.until, hour.until)
        # A polite stop, and one that is not.
        guard.stop()
        guard.start()
        kill(guard)
        guard.start()
        up = datetime.now(UTC)
        assert told(guard, hour) == hour.until
        sink.wait(lambda delivery: "first@soon.example" in delivery.recipients, timeout=30)
        until(lambda: shown(guard, first.id)["state"] == "sent")
        claim = next(event for event in shown(guard, first.id)["events"] if event["event"] == "claim")
        left = datetime.fromisoformat(claim["at"])
        # It may have come due while no guard was there.
        assert first.until <= left < max(first.until, up) + LATE
        assert "hour@client.example" not in [one for each in sink.deliveries for one in each.recipients]
    finally:
        guard.stop()


def test_nothing_leaves_before_the_time_that_was_told(guard: Guard, sink: Sink) -> None:
    promises = [hand_in(guard, letter(f"not yet {n}"), f"notyet{n}@soon.example") for n in range(5)]
    for number, promise in enumerate(promises):
        sink.wait(lambda delivery, n=number: f"notyet{n}@soon.example" in delivery.recipients)  # type: ignore[misc]
        assert promise.until is not None
        assert datetime.now(UTC) >= promise.until


def test_only_a_person_moves_a_time(guard: Guard) -> None:
    promise = hand_in(guard, letter("more time"), "b@client.example")
    assert promise.until is not None
    assert ask(guard, "extend", promise.id, by_seconds=600)["told"] == "done"
    assert told(guard, promise) == promise.until + timedelta(minutes=10)
