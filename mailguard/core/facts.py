"""What is known of a message when it is judged: the only thing that rules and checks look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailguard.core.envelope import Envelope


@dataclass(frozen=True, kw_only=True, slots=True)
class Headers:
    """The header block, decoded for reading; the raw bytes stay the truth.

    `from_`, `to`, `cc`, `reply_to` are bare addresses (no display names), as written. `fields` has every
    header's decoded values by lower-case name. `message_ids` are the ids that In-Reply-To and References
    name, oldest first, without angle brackets. `readable` is false where the block was too large, too
    strange or too slow to read: then everything here may be missing.
    """

    from_: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
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

    `text` is all readable text (cut at a bound); `own_text` is that without quoted mail and signature.
    `attachments` are the file names, "" for one without a name. `readable` is false where it could not be
    read within bounds.
    """

    text: str = ""
    own_text: str = ""
    attachments: tuple[str, ...] = ()
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
    """Everything about one submission that the judge may know."""

    envelope: Envelope
    headers: Headers
    body: Body
    thread: Thread
    user: str | None
    size: int
    now: datetime
