"""What crosses between the process that speaks SMTP and judges and the one that keeps, and how it is written.

MessagePack, because it is read into nothing but the types that are named here, whatever the process that
listens to the network may send.
"""

from datetime import datetime
from enum import IntEnum

import msgspec

from mailguard.core.delivery import Outcome
from mailguard.core.envelope import Envelope, Submission
from mailguard.core.errors import Fault
from mailguard.core.reply import Reply
from mailguard.core.value import dataclass
from mailguard.flow.guessing import Tried
from mailguard.flow.judging import Judged


class About(IntEnum):
    """What a question or a word is about."""

    OPEN = 0
    CLOSE = 1
    ACCEPT = 2
    LEARN = 3
    OFFER = 4
    GOODBYE = 5
    LOOK = 6
    LOG = 7
    TRIED = 8
    TAKE = 9
    RELOAD = 10
    RECORDS = 11
    THREADS = 12
    RECALLS = 13
    STILL = 14
    ALIVE = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """A submission but for its bytes, which go beside it, and for its time, which is that of the process that
    keeps it."""

    envelope: Envelope
    user: str | None
    peer: str
    helo: str
    protocol: str
    own: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """What time it is for the process that keeps, and how often its clock has followed the wall clock."""

    now: datetime
    adoptions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """A submission that was judged by the process that speaks SMTP: by which `rules`, and by a clock of how
    many `adoptions`. `within` are the seconds that are left for the answer, `spent` those that the client has
    waited already."""

    handed: Handed
    received_at: datetime
    judged: Judged
    rules: str
    adoptions: int
    within: float
    spent: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Final:
    """Whether a refusal is the last word: it is, where these are the rules still. `spent` are the seconds
    that the client has waited."""

    rules: str
    spent: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """Where SMTP is spoken now, by what the port is for; or why it is not."""

    addresses: dict[str, list[str]]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """How the process that speaks is: what is wrong with its open files and with the upstream, whether
    clients are turned away, whether there is a memory, and of how many mails."""

    files: str | None = None
    upstream: str | None = None
    refuses: bool = False
    ready: bool = False
    mails: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Logged:
    """A line for the log."""

    name: str
    trouble: bool
    fields: dict[str, object]


written = msgspec.msgpack.Encoder(enc_hook=str).encode

read_final = msgspec.msgpack.Decoder(Final).decode
read_moment = msgspec.msgpack.Decoder(Moment).decode
read_opened = msgspec.msgpack.Decoder(Opened).decode
read_handed = msgspec.msgpack.Decoder(Handed).decode
read_weighed = msgspec.msgpack.Decoder(Weighed).decode
read_reply = msgspec.msgpack.Decoder(Reply).decode
read_envelope = msgspec.msgpack.Decoder(Envelope).decode
read_outcomes = msgspec.msgpack.Decoder(list[Outcome]).decode
read_seen = msgspec.msgpack.Decoder(Seen).decode
read_logged = msgspec.msgpack.Decoder(Logged).decode
read_tried = msgspec.msgpack.Decoder(Tried).decode


def handed(submission: Submission) -> Handed:
    """A submission but for its bytes and its time."""
    return Handed(
        envelope=submission.envelope,
        user=submission.user,
        peer=submission.peer,
        helo=submission.helo,
        protocol=submission.protocol,
        own=submission.own,
    )


def submitted(one: Handed, content: bytes, now: datetime) -> Submission:
    """And with them again."""
    return Submission(
        envelope=one.envelope,
        content=content,
        user=one.user,
        peer=one.peer,
        helo=one.helo,
        protocol=one.protocol,
        received_at=now,
        own=one.own,
    )
