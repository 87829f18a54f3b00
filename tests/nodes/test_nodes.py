"""Three real guards on one queue: what one has taken can be stopped at another, and leaves by a third."""

import time
from pathlib import Path

from tests.guard import Guard
from tests.nodes import several
from tests.nodes.several import hand_in, say, state_of, wait_for_state
from tests.sink import Sink


def known(guard: Guard, count: int) -> set[int]:
    """The processes of the guards that this one knows, when they are so many."""
    deadline = time.monotonic() + 20
    while len(nodes := guard.ask("status")["nodes"]) != count:
        assert time.monotonic() < deadline, nodes
        time.sleep(0.2)
    assert all(node["alive"] for node in nodes), nodes
    return {int(node["name"].rpartition(":")[2]) for node in nodes}


def test_taken_by_one_stopped_at_another_sent_by_a_third(tmp_path: Path, url: str, sink: Sink) -> None:
    with several.running(tmp_path, url, sink.port, count=3) as (one, two, three):
        stopped = hand_in(one, "stopped@customer.example", "stopped")
        sent = hand_in(one, "sent@customer.example", "sent")
        answer = say(two, "cancel", id=stopped)
        assert answer and answer["told"] == "done", answer
        assert known(two, 3) == {guard.pid for guard in (one, two, three)}
        # The one that took it is not there any more to send it.
        one.stop()
        answer = say(two, "release", id=sent)
        assert answer and answer["told"] == "done", answer
        wait_for_state(three, sent, "sent")
        assert state_of(three, stopped) == "cancelled"
        told = three.ask("show", sent)
        assert [event["event"] for event in told["events"]] == ["received", "release", "claim", "settle"]
        assert [mail.recipients for mail in sink.deliveries] == [("sent@customer.example",)]
        # And the command line of the machine whose guard is stopped asks the queue itself.
        assert known(one, 2) == {two.pid, three.pid}
        assert one.ask("show", sent)["state"] == "sent"
