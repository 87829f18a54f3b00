"""What one claim takes, before any database is asked."""

from dataclasses import replace

import pytest

from mailguard.core.states import MessageState
from mailguard.edge.store import taking
from mailguard.edge.store.taking import Taking
from tests.edge.store.samples import CONTENT, LATER, RecordingLog
from tests.making import NOW, in_state, message


def test_what_is_due_is_in_hand(log: RecordingLog) -> None:
    some = Taking(LATER, 2, log)
    some.take(7, message(), CONTENT)
    [(number, change, content)] = some.taken
    assert (number, content) == (7, CONTENT)
    assert change.after.state is MessageState.RELAYING
    assert some.wanted == 1
    some.take(8, message(), b"")
    assert some.wanted == 0
    assert not log.troubles


def test_what_cannot_be_claimed_is_passed_over(log: RecordingLog) -> None:
    some = Taking(NOW, 5, log)
    some.take(1, message(), CONTENT)
    some.take(2, in_state(MessageState.CANCELLED), CONTENT)
    some.take(3, replace(message(), id="gone"), None)
    assert some.taken == []
    assert some.wanted == 5
    assert [fields["id"] for fields in log.told("body_missing")] == ["gone"]


def test_no_more_is_read_than_the_memory_bears(log: RecordingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "CLAIM_BYTES", 100)
    some = Taking(LATER, 5, log)
    rows = [("a", 60), ("b", 60), ("c", 60)]
    # The last one may make it more.
    assert some.fitting(rows, 1) == rows[:2]
    assert some.wanted == 0
    assert some.fitting(rows, 1) == []
