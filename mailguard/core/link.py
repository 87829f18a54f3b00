"""A link in a notice: what it is for, and for whom."""

from enum import StrEnum

from mailguard.core.value import dataclass


class LinkAction(StrEnum):
    """What a link is good for: to see how a message stands, or to stop it and take that back."""

    SHOW = "show"
    CANCEL = "cancel"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Bound to one action on one message by one person: the `login` that handed it in or, where there was
    none, whoever sends from `address`."""

    action: LinkAction
    message_id: str
    login: str | None
    address: str
