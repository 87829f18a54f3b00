"""The words of an answer."""

from mailguard.core.told import Told


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
