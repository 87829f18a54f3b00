from datetime import timedelta

import pytest

from mailguard.core import moves
from mailguard.core.errors import IllegalMove
from mailguard.core.states import MessageState
from tests.making import NOW, in_state

LATE = NOW + timedelta(days=1)


@pytest.mark.parametrize("state", [state for state in MessageState if not state.finished])
def test_quarantine_stops_whatever_is_not_finished_and_claims_nothing(state: MessageState) -> None:
    change = moves.quarantine(in_state(state), "restored", by="mailguard", now=LATE)
    after = change.after
    assert after.state is MessageState.FROZEN
    assert after.due_at is None
    assert after.expires_at == LATE + after.undo
    assert all(r.maybe_sent and not r.in_flight for r in after.recipients if r.open)
    assert change.event.detail == {"reason": "restored"}
    assert moves.claim(after, by="mailguard", now=LATE + timedelta(days=400)) is None


@pytest.mark.parametrize("state", [state for state in MessageState if state.finished])
def test_what_is_finished_is_not_quarantined(state: MessageState) -> None:
    with pytest.raises(IllegalMove):
        moves.quarantine(in_state(state), "restored", by="mailguard", now=LATE)
