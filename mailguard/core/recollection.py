"""What the memory knows that bears on one message, as plain values: all that the checks see of it.

It is looked up once, before the judging, so that a check is a pure function and the same whatever holds the
memory. An empty one, of a sender whom nobody has seen before, makes no check speak that needs it.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """Somebody whom the sender writes to, and how many mails it were."""

    address: str
    mails: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquaintance:
    """One recipient as the memory knows him.

    `mails` are those of this sender to him, `last_at` the last of them, `back` those from him to the sender;
    `domain_mails` those to anybody in his organisation. `known_here` tells whether anybody here has written
    to or heard from him, `domain_known` the same of his organisation. `usual` is the sender's more usual
    contact of like name, `near` a known address that is one slip of the finger away, `near_domain` a known
    organisation's domain that is, or that looks the same. `in_thread` tells whether he took part in the
    conversation before, `wrote` whether he wrote in it himself, `added` whether the mail that is answered
    was the first that had him on it. `suspicion` is how suspect he is, from 0 to 1; of a thousand messages
    that were meant as they were, `per_thousand` have a recipient as suspect as this.
    """

    address: str
    mails: int = 0
    last_at: datetime | None = None
    back: int = 0
    domain_mails: int = 0
    known_here: bool = False
    domain_known: bool = False
    usual: Contact | None = None
    near: Contact | None = None
    near_domain: str = ""
    in_thread: bool = False
    wrote: bool = False
    added: bool = False
    suspicion: float = 0.0
    per_thousand: float = 1000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Companion:
    """Somebody who was on `together` of the last `of` mails that the sender wrote to these recipients."""

    address: str
    together: int
    of: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Recollection:
    """What is known of a sender, his recipients and the conversation.

    `mails` is how many mails of his are remembered. `people` has his recipients by normal form. `missing` are
    usual companions who are not on the message. `identity` is the address of his that these recipients are
    usually written to from, where it is not the one of this message. `answered` are To and Cc of the mail
    that is answered, where it is known; `through_list` tells that it came by a mailing list, and `unnamed`
    how many of his latest mails answered one that went to some of the same people and named him nowhere.
    `crowds` is how many of them showed more outsiders to one another than the policy bears. `greeted` is whom
    he usually greets as in this message, where that is nobody it goes to. `invited` are those of an
    invitation's people whom he knows: wrote to, or heard from. `organisations` are the domains outside that
    he writes to. `meant` has what he said yes to: the check's code and the address.
    """

    mails: int = 0
    people: Mapping[str, Acquaintance] = field(default_factory=dict)
    missing: tuple[Companion, ...] = ()
    identity: Contact | None = None
    answered: tuple[str, ...] = ()
    through_list: bool = False
    unnamed: int = 0
    crowds: int = 0
    greeted: Contact | None = None
    invited: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    meant: frozenset[tuple[str, str]] = frozenset()

    @property
    def per_thousand(self) -> float:
        """How many of a thousand clean messages are as suspect as this one: that of its worst recipient."""
        return min((one.per_thousand for one in self.people.values()), default=1000.0)


NOTHING = Recollection()
