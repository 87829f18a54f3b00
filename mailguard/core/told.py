"""The one word of an answer, and the exit code that goes with it; by itself, because it is wanted early."""

from enum import StrEnum


class Told(StrEnum):
    """What became of what was asked for. ALREADY counts as done: it holds without a further move."""

    DONE = "done"
    ALREADY = "already"
    REFUSED = "refused"
    NO_SUCH_MESSAGE = "no_such_message"
    TOO_LATE = "too_late"
    NOT_YOURS = "not_yours"
    TRY_LATER = "try_later"
    FAULT = "fault"

    @property
    def exit_code(self) -> int:
        """The exit code of the command line for this word."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Told.DONE: 0,
    Told.ALREADY: 0,
    Told.FAULT: 1,
    Told.REFUSED: 2,
    Told.NO_SUCH_MESSAGE: 3,
    Told.TOO_LATE: 4,
    Told.NOT_YOURS: 5,
    Told.TRY_LATER: 75,
}
