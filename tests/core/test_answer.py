"""The words of an answer and the truth about what has left."""

from mailguard.core.answer import what_is, what_left
from mailguard.core.states import MessageState, RecipientState
from tests.making import NOW, message, recipient


def test_what_left_names_to_whom_and_when() -> None:
    left = message(
        recipient("b@x.example", state=RecipientState.SENT, sent_at=NOW),
        recipient("c@x.example", in_flight=True),
    )
    text = what_left(left)
    assert "it left to b@x.example at 2026-11-22T10:00:00Z" in text
    assert "c@x.example" in text


def test_how_it_stands_is_one_sentence() -> None:
    dropped = recipient("b@x.example", state=RecipientState.DROPPED)
    assert what_is(message(dropped, recipient("c@x.example"))) == (
        "k7fm2xqp9d3t is held until 2026-11-22T10:05:00Z; it will not go to b@x.example"
    )
    cancelled = message(dropped, state=MessageState.CANCELLED)
    assert what_is(cancelled) == "k7fm2xqp9d3t is cancelled: it will not go to b@x.example"


def test_where_nothing_left_it_says_so() -> None:
    assert what_left(message()) == "nothing of it has left"
