"""The table of moves: what it has, and that what it has not changes nothing."""

import pytest

from mailguard.core import states
from mailguard.core.errors import IllegalMove
from mailguard.core.states import MOVES, MessageState, Move


def test_every_move_has_a_row() -> None:
    assert set(MOVES) == set(Move)


def test_what_is_finished_only_a_restore_can_reopen() -> None:
    for move, row in MOVES.items():
        reopened = [state for state, after in row.items() if state.finished and after != {state}]
        assert not reopened or move is Move.RESTORE


def test_rejected_and_expired_are_never_left() -> None:
    for row in MOVES.values():
        for state in (MessageState.REJECTED, MessageState.EXPIRED):
            assert row.get(state, {state}) == {state}


def test_only_what_an_upstream_said_makes_sent() -> None:
    makers = {
        move
        for move, row in MOVES.items()
        for before, after in row.items()
        if MessageState.SENT in after and before is not MessageState.SENT
    }
    assert makers == {Move.SETTLE, Move.LATE}


def test_only_a_claim_makes_relaying() -> None:
    for move, row in MOVES.items():
        for before, after in row.items():
            if MessageState.RELAYING in after and before is not MessageState.RELAYING:
                assert move is Move.CLAIM


def test_an_approval_cannot_be_left_by_release_or_confirm() -> None:
    assert not states.allows(Move.RELEASE, MessageState.APPROVAL)
    assert not states.allows(Move.CONFIRM, MessageState.APPROVAL)


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("before", MessageState)
def test_an_illegal_move_raises(move: Move, before: MessageState) -> None:
    allowed = MOVES[move].get(before, frozenset())
    for after in MessageState:
        if after in allowed:
            states.check(move, before, after)
        else:
            with pytest.raises(IllegalMove):
                states.check(move, before, after)
