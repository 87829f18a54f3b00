"""What is known of a message when it is judged: the only thing that rules and checks look at."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from mailguard.core.envelope import Envelope
from mailguard.core.invitation import Invitation
from mailguard.core.recollection import NOTHING, Recollection
from mailguard.core.value import dataclass

NO_INVITATION = Invitation()


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An address of a header field and what people read instead of it: display name, comments, group.

    `name` is decoded and `address` as written; neither is cleaned, so that what hides in it can be found.
    """

    field: str
    name: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Headers:
    """The header block, decoded for reading; the raw bytes stay the truth.

    `from_`, `sender`, `to`, `cc`, `reply_to` are bare addresses (no display names), as written. `named` are
    those of them whose names could mislead: not the plain ones. `fields` has every header's decoded values
    by lower-case name. `in_reply_to` and `references` are the ids that these fields name, oldest first,
    without angle brackets. `readable` is false where the block was too large, too strange or too slow to
    read: then everything here may be missing.
    """

    from_: tuple[str, ...] = ()
    sender: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    named: tuple[Named, ...] = ()
    subject: str = ""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    importance: str = "normal"
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    readable: bool = True

    @property
    def thread_ids(self) -> tuple[str, ...]:
        """The ids of the messages that this one answers, oldest first, each once."""
        return tuple(dict.fromkeys((*self.references, *self.in_reply_to)))

    @property
    def is_reply(self) -> bool:
        """Whether it says that it answers something."""
        return bool(self.thread_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The inside of the message, as far as it could be read within bounds.

    `text` is all readable text (cut at a bound: then `complete` is false); `own_text` is that without
    quoted mail and signature. `attachments` are the file names, "" for one without a name. `invitation`
    has those whom a calendar in it invites. `readable` is false where it could not be
    read within bounds.
    """

    text: str = ""
    own_text: str = ""
    attachments: tuple[str, ...] = ()
    invitation: Invitation = NO_INVITATION
    complete: bool = True
    readable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """Who took part in the conversation that a message answers (normal forms of addresses); empty where
    nothing is known of it."""

    participants: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether anything is known; without it no check may speak of the thread."""
        return bool(self.participants)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Everything about one submission that the judge may know.

    `own` are the addresses and patterns that the login may send as; None where there is no login.
    `recollection` is what the memory knows that bears on it.
    """

    envelope: Envelope
    headers: Headers
    body: Body
    thread: Thread
    user: str | None
    size: int
    now: datetime
    own: tuple[str, ...] | None = None
    recollection: Recollection = NOTHING
