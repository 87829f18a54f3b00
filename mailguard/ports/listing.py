"""Which of the messages a list shall have, and what it found."""

from collections.abc import Sequence

from mailguard.core.hold import HeldMessage
from mailguard.core.states import MessageState
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Whose messages to look for: those handed in with the `login` or sent from one of the `addresses` (in
    normal form), and with `anonymous` all that came without a login; whoever asks sorts those out."""

    login: str
    addresses: frozenset[str] = frozenset()
    anonymous: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Which messages to list: at most `limit`, next to leave first, after the message with id `after`.

    `states` empty means all that are not finished (with `finished`: those too). With an `owner` the store
    looks at this person's messages only, however many others there are.
    """

    states: frozenset[MessageState] = frozenset()
    sender: str | None = None
    owner: Owner | None = None
    finished: bool = False
    after: str | None = None
    limit: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which messages to look for, in the order of a Page; what is given must all hold.

    `text` stands in the subject, the sender or a recipient, or begins the id. `rule` and `finding` are the
    name and the check's code. `states` empty means all that are not finished.
    """

    states: frozenset[MessageState] = frozenset()
    owner: Owner | None = None
    text: str = ""
    rule: str = ""
    finding: str = ""
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a search has found so far; `after` is where to look on, None where all was looked through."""

    messages: Sequence[HeldMessage]
    after: str | None = None
