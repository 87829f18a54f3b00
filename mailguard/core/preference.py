"""What one person has chosen for themselves."""

from mailguard.core import address
from mailguard.core.policy import Notify
from mailguard.core.value import dataclass

LANGUAGES = ("en", "fr")


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """The language that the guard speaks to this person, one of LANGUAGES, and when it writes of a held
    message. None is what holds for the whole installation."""

    language: str | None = None
    notify: Notify | None = None


NOTHING = Preference()


def person(user: str | None, sender: str) -> str:
    """Under which name somebody's preference is kept: the login's, or that of the envelope sender where
    there is none."""
    return user if user is not None else address.normal(sender)
