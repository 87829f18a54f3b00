"""Cancelled means never: not by the timer, not after a restart, not because somebody asks again."""

from pathlib import Path

from tests import guard as guards
from tests.guard import Guard
from tests.promises.talking import RULES, ask, hand_in, letter, shown
from tests.sink import Sink


def arrived(sink: Sink) -> list[str]:
    return [one for delivery in list(sink.deliveries) for one in delivery.recipients]


def test_a_cancelled_message_never_leaves(sink: Sink, tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), rules=RULES)
    guard.start()
    stopped = hand_in(guard, letter("never"), "never@soon.example")
    assert ask(guard, "cancel", stopped.id)["told"] == "done"
    assert ask(guard, "cancel", stopped.id)["told"] == "already"
    for verb in ("release", "confirm", "thaw", "freeze"):
        assert ask(guard, verb, stopped.id)["told"] == "refused"
    guard.stop()
    guard.start()
    try:
        # A message of the same kind that came later and has left tells that the time is over.
        hand_in(guard, letter("witness"), "witness@soon.example")
        sink.wait(lambda delivery: "witness@soon.example" in delivery.recipients)
        assert shown(guard, stopped.id)["state"] == "cancelled"
        assert "never@soon.example" not in arrived(sink)
    finally:
        guard.stop()


def test_a_dropped_recipient_never_gets_what_the_others_get(guard: Guard, sink: Sink) -> None:
    promise = hand_in(guard, letter("not you"), "you@soon.example", "notyou@soon.example")
    assert ask(guard, "cancel", promise.id, to=["notyou@soon.example"])["told"] == "done"
    delivery = sink.wait(lambda delivery: "you@soon.example" in delivery.recipients)
    assert delivery.recipients == ("you@soon.example",)
    assert "notyou@soon.example" not in arrived(sink)


def test_only_its_sender_can_take_the_cancel_back(guard: Guard, sink: Sink) -> None:
    promise = hand_in(guard, letter("again"), "again@soon.example")
    assert ask(guard, "cancel", promise.id)["told"] == "done"
    assert ask(guard, "restore", promise.id)["told"] == "done"
    sink.wait(lambda delivery: "again@soon.example" in delivery.recipients)
