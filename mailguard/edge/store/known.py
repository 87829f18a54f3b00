"""The messages that one which is handed in again is compared with (core/resubmission.py), in every store."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Protocol

from mailguard.core.resubmission import RETURNED
from mailguard.core.states import MessageState
from mailguard.core.value import dataclass
from mailguard.edge.store.text import storable
from mailguard.ports import First, Mark

# Whoever had a message back may send it once more.
NOT_KNOWN = tuple(sorted(state.value for state in RETURNED))
# Two for each that comes in, so that the table is never longer than ten minutes of mail.
OLD_PER_NEW = 2

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Row = tuple[bytes, int, datetime, str, str, str]
"""Digest, number, time, reply; id and state of the message."""


class New(Protocol):
    """A message that is put in, in whatever form."""

    @property
    def id(self) -> str:
        """By which people know it."""
        ...

    @property
    def state(self) -> MessageState:
        """How it begins."""
        ...

    @property
    def received_at(self) -> datetime:
        """When it came."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    received_at: datetime
    first: First


@dataclass(slots=True)
class Fresh:
    """What is known at the beginning of a transaction, and what comes to it in the course of it: `added` are
    new marks (number, digest, time, reply), `again` the messages that came once more, and nothing is asked of
    what is older than `since`."""

    known: dict[bytes, _Known] = field(default_factory=dict)
    added: list[tuple[int, bytes, datetime, str]] = field(default_factory=list)
    again: list[tuple[int, Mark]] = field(default_factory=list)
    since: datetime = _LONG_AGO

    def find(self, rows: Iterable[Row]) -> None:
        """Take in what the database knows, oldest first."""
        for digest, number, received_at, reply, message_id, state in rows:
            first = First(id=message_id, state=MessageState(state), reply=reply)
            self.known[digest] = _Known(number, received_at, first)

    def numbers(self) -> Sequence[int]:
        """The messages that may get a line more in their history."""
        return [one.number for one in self.known.values()]

    def first(self, mark: Mark) -> First | None:
        """The message that this one is a second try of; it is noted in its history then."""
        known = self.known.get(mark.digest)
        if known is None or known.received_at < mark.since:
            return None
        self.again.append((known.number, mark))
        return known.first

    def add(self, number: int, new: New, mark: Mark) -> None:
        """A new message, for the next one to be compared with."""
        self.added.append((number, mark.digest, new.received_at, storable(mark.reply)))
        self.since = max(self.since, mark.since)
        first = First(id=new.id, state=new.state, reply=mark.reply)
        self.known[mark.digest] = _Known(number, new.received_at, first)
