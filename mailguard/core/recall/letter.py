"""A mail as the memory reads it: the neutral form that the live road and `mailguard detect` can both make."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One mail on its way, or one that left.

    Addresses are in normal form (core.address.normal); `hidden` are recipients of the envelope whom no header
    names. `text` is the readable text with what it quotes; `answers` are the ids of In-Reply-To and
    References, oldest first, without brackets. `through_list` tells that it came by a mailing list. `names`
    are display names by address, where known.
    """

    sender: str
    when: datetime
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    message_id: str = ""
    answers: tuple[str, ...] = ()
    through_list: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody it goes to, each once."""
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.hidden)))
