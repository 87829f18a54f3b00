"""Three real guards on one queue: what one has taken can be stopped at another, and leaves by a third."""

from pathlib import Path

from tests.nodes import several
from tests.nodes.several import hand_in, say, state_of, wait_for_state
from tests.sink import Sink


def test_taken_by_one_stopped_at_another_sent_by_a_third(tmp_path: Path, url: str, sink: Sink) -> None:
    with several.running(tmp_path, url, sink.port, count=3) as (one, two, three):
        stopped = hand_in(one, "stopped@customer.example", "stopped")
        sent = hand_in(one, "sent@customer.example", "sent")
        answer = say(two, "cancel", id=stopped)
        assert answer and answer["told"] == "done", answer
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
        assert one.ask("show", sent)["state"] == "sent"
