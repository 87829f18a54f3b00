"""One winner: of two decisions at the same instant one is done, and the other hears the truth.

tests/test_app.py races two hundred of them against the timer."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.guard import Guard
from tests.promises.talking import ask, hand_in, letter, shown, until
from tests.sink import Sink

PAIRS = 24


def test_of_cancel_and_release_exactly_one_is_done(guard: Guard, sink: Sink) -> None:
    promises = [hand_in(guard, letter(f"pair {n}"), f"pair{n}@client.example") for n in range(PAIRS)]
    start = threading.Barrier(2)

    def decide(verb: str, message_id: str) -> dict[str, Any]:
        start.wait()
        return ask(guard, verb, message_id)

    winners = []
    with ThreadPoolExecutor(2) as people:
        for promise in promises:
            cancel = people.submit(decide, "cancel", promise.id)
            release = people.submit(decide, "release", promise.id)
            winners.append(_judge(cancel.result(), release.result()))
    until(lambda: all(shown(guard, one.id)["state"] in ("sent", "cancelled") for one in promises))
    arrived = [one for delivery in list(sink.deliveries) for one in delivery.recipients]
    for number, winner in enumerate(winners):
        assert arrived.count(f"pair{number}@client.example") == (winner == "release")


def _judge(cancel: dict[str, Any], release: dict[str, Any]) -> str:
    if cancel["told"] == "done":
        # A release that came first is overtaken before anything has left: then both were done, in turn.
        assert release["told"] in ("refused", "done")
        return "cancel"
    assert (cancel["told"], release["told"]) == ("too_late", "done")
    return "release"


def test_who_is_too_late_hears_what_left_to_whom_and_when(guard: Guard, sink: Sink) -> None:
    promise = hand_in(guard, letter("gone"), "gone@now.example")
    sink.wait(lambda delivery: "gone@now.example" in delivery.recipients)
    until(lambda: shown(guard, promise.id)["state"] == "sent")
    answer = ask(guard, "cancel", promise.id)
    assert answer["told"] == "too_late"
    left = next(event["at"] for event in shown(guard, promise.id)["events"] if event["event"] == "settle")
    assert f"it left to gone@now.example at {left[:16]}" in answer["text"]
