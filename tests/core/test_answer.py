"""The words of an answer and the truth about what has left."""

from mailguard.core.answer import Told, what_left
from mailguard.core.states import RecipientState
from tests.making import NOW, message, recipient


def test_every_word_has_the_exit_code_of_the_contract() -> None:
    codes = {told: told.exit_code for told in Told}
    assert codes == {
        Told.DONE: 0,
        Told.ALREADY: 0,
        Told.FAULT: 1,
        Told.REFUSED: 2,
        Told.NO_SUCH_MESSAGE: 3,
        Told.TOO_LATE: 4,
        Told.NOT_YOURS: 5,
        Told.TRY_LATER: 75,
    }


def test_what_left_names_to_whom_and_when() -> None:
    left = message(
        recipient("b@x.example", state=RecipientState.SENT, sent_at=NOW),
        recipient("c@x.example", in_flight=True),
    )
    text = what_left(left)
    assert "it left to b@x.example at 2026-11-22T10:00:00Z" in text
    assert "c@x.example" in text


def test_where_nothing_left_it_says_so() -> None:
    assert what_left(message()) == "nothing of it has left"
