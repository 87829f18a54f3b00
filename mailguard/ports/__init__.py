"""What the use cases need of the world, as Protocols; mailguard/edge has one real answer to each."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mailguard.core.account import Account
from mailguard.core.delivery import Outcome
from mailguard.core.errors import Fault
from mailguard.core.events import Event
from mailguard.core.facts import Body, Headers, Thread
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.policy import Policy
from mailguard.core.preference import Preference
from mailguard.core.recall.observation import Observation
from mailguard.core.states import MessageState
from mailguard.core.value import dataclass
from mailguard.ports.listing import Found as Found
from mailguard.ports.listing import Owner as Owner
from mailguard.ports.listing import Page as Page
from mailguard.ports.listing import Search as Search
from mailguard.ports.machine import Clock as Clock
from mailguard.ports.machine import Log as Log
from mailguard.ports.machine import Watched as Watched


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """How many messages are in each state, and what should have left already."""

    by_state: Mapping[MessageState, int] = field(default_factory=dict)
    overdue: int = 0
    oldest_overdue: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One of several guards that share a store: its name (host and process), from which `address` it comes
    (None: from the store's own machine), since when it runs (None: its version does not tell), when it was
    `heard` of last, whether its time is not over since, and how many messages it has in hand."""

    name: str
    address: str | None
    since: datetime | None
    heard: datetime
    alive: bool
    in_hand: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """By what a message is known that is handed in a second time (core/resubmission.py).

    The second is one where the first was received at `since` or later. `reply` is what the client is told
    of this message, `again` the line for the first one's history where this is a second.
    """

    digest: bytes
    since: datetime
    reply: str
    again: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class First:
    """The message that was handed in before: how it stands now, and what its client was told then."""

    id: str
    state: MessageState
    reply: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    """A store's file that stands still for whoever shows the `token`, `size` bytes long; a copy of it holds
    the mail of the moment `at`."""

    path: Path
    size: int
    token: str
    at: datetime


class Store(Protocol):
    """The queue. Every method that changes something returns after it is synced to the disk.

    Any method may raise StoreError, whose meaning is always "not now".
    """

    async def add(self, new: NewMessage, mark: Mark | None = None) -> First | None:
        """Put a message in, with what comes `also`. On return it survives a loss of power.

        Where `mark` tells that it was handed in before, it is not put in: the first one is returned, and
        has a line more in its history. Of two at the same instant one is the first.
        """

    async def find(self, prefix: str) -> HeldMessage:
        """The message whose id is, or starts with, `prefix` (normalised).

        Raises NoSuchMessage, AmbiguousId.
        """

    async def apply(self, change: Change) -> bool:
        """Make one step, whole, if nobody was faster; False where somebody was (nothing changed then)."""

    async def page(self, page: Page) -> Sequence[HeldMessage]:
        """The messages of one page: overdue first, then by the time they leave, then those without one."""

    async def search(self, search: Search) -> Found:
        """The first messages that fit. It looks through a bounded number of them at a time, so that a search
        through a million keeps nobody from the store. Raises NoSuchMessage where `after` is forgotten."""

    async def content(self, message_id: str) -> bytes | None:
        """The bytes as received, or None where they are gone."""

    async def events(self, message_id: str) -> Sequence[Event]:
        """A message's history, oldest first."""

    async def claim(self, now: datetime, limit: int) -> Sequence[Claimed]:
        """Take in hand at most `limit` messages with due recipients, most overdue first (moves.claim)."""

    async def next_due(self) -> datetime | None:
        """When the next claim or expiry will have something to do; None where nothing waits for a time."""

    async def expired(self, now: datetime, limit: int) -> Sequence[HeldMessage]:
        """Messages whose `expires_at` has come and whose state may expire."""

    async def to_remind(self, now: datetime, limit: int) -> Sequence[HeldMessage]:
        """Messages that wait for a yes, and whose `remind_at` has come: longest over first."""

    async def stranded(self) -> Sequence[HeldMessage]:
        """Messages that a guard had in hand when it stopped: state RELAYING at a start, or, where several
        guards share the store, at any time, in the hands of one that has not been heard of for too long."""

    async def forget(self, finished_before: datetime, undo_before: datetime, limit: int) -> int:
        """Remove bytes that no restore can want any more (finished before `undo_before`) and the metadata
        of messages finished before `finished_before`; how many messages were touched, at most `limit`.
        To be called until it touches none: only then nothing of what is gone is left on the disk."""

    async def census(self, now: datetime) -> Census:
        """Counts by state, and what is overdue."""

    async def nodes(self) -> Sequence[Node]:
        """The guards that share the store, by name, and those that were heard of lately; none where it is
        one guard's own."""

    async def restored_from(self) -> datetime | None:
        """When the backup was made that this store was restored from; None where it is no such store, or
        `settled_in` was called."""

    async def settled_in(self) -> None:
        """What a restored store held is taken care of."""

    async def close(self) -> None:
        """Finish what is being written and let the store go."""


class Holding(Protocol):
    """Where several guards share a store: how long what this one has in hand is its own."""

    def holds_until(self, message_id: str) -> float:
        """Until when (Clock.monotonic) nobody else takes over a message that was claimed here; in the past
        where somebody may have done so."""


class Backup(Protocol):
    """Lets somebody copy the store's file while mail goes on coming in and out."""

    async def begin(self) -> Still:
        """The file stands still from here on. Raises StoreError where somebody else is copying."""

    async def renew(self, token: str) -> bool:
        """The copying goes on; to be said every few seconds. False where the time is over: begin anew."""

    async def end(self, token: str) -> bool:
        """The copying is over; whether the file stood still all the time."""


class Memory(Protocol):
    """What was learnt from mail that really left."""

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        """Who took part in the threads that these ids lead to."""

    async def learn(self, message_id: str, answers: Sequence[str], participants: Sequence[str]) -> None:
        """A message really left: join its thread (the ids it answers) and its people (normal forms)."""

    async def erase(self, address: str) -> None:
        """Take a person (normal form) out of every thread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One mail in the log that the judge's memory is made from. `number` is the log's, 0 for one that is not
    in it yet. `mark` is the same for two copies of one mail; `score` is how suspect it was before it left,
    from 0 to 1, to the judge whose fingerprint is `judged_by`; both are None where nobody judged it."""

    number: int = 0
    mark: int
    observation: Observation
    score: float | None = None
    judged_by: int | None = None


class Records(Protocol):
    """The log that the judge's memory is made from. Any method may raise StoreError."""

    async def append(self, entries: Sequence[Entry], *, source: str = "", place: str = "") -> Sequence[int]:
        """Add those that are new; the number of each in the log, 0 for one that was known.

        With a `source`, its reader has got to `place` by this.
        """

    async def latest(self) -> int:
        """The greatest number in the log; 0 where it is empty."""

    async def read(self, after: tuple[int, int], upto: int, limit: int) -> Sequence[Entry]:
        """The next entries by their time and then their number, after the one with (time, number) `after`;
        none with a number above `upto`. One that cannot be read is passed over, and the log told."""

    async def since(self, number: int, limit: int) -> Sequence[Entry]:
        """The entries after this number, in the order in which they came, from whichever guard. One that
        cannot be read is passed over, and the log told."""

    async def erased(self) -> int:
        """A number that is another one after somebody was erased, by whichever guard."""

    async def place(self, source: str) -> str | None:
        """How far the reader of a source got; None where it has not begun, or everything was read."""

    async def all_read(self, sources: Collection[str]) -> None:
        """The readers of these sources have come to the end; the next ones begin anew."""

    async def forget(self, before: int) -> int:
        """Remove what is older (seconds since 1970); how many there were."""

    async def erase(self, address: str) -> int:
        """Take a person (normal form) out of everything that is recorded; how many entries had him."""

    async def add_meant(self, person: str, reasons: Collection[tuple[str, str]]) -> None:
        """A person said yes: to findings of these codes about these addresses."""

    async def meant(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """All that was said yes to, by person."""


class NotOffered(asyncio.CancelledError):
    """An attempt that was cancelled before the upstream could have the whole message."""


class Relay(Protocol):
    """The way to the real outgoing server."""

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once with these bytes; one outcome each, in their order.

        Never raises, but where it is cancelled: then NotOffered says that the message was not sent, and
        anything else that it may have arrived.
        """

    async def close(self) -> None:
        """Say goodbye to the upstream."""


class Bodies(Protocol):
    """Reads the inside of a message away from the loop, within bounds of time and memory."""

    async def read(self, content: bytes, headers: Headers) -> Body:
        """The body's text and attachments; never raises."""


class Policies(Protocol):
    """The rules in force, and the last attempt to change them."""

    @property
    def current(self) -> Policy:
        """The rules in force now."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Why the newest rules file was not taken; empty where it was."""

    async def reload(self) -> tuple[Fault, ...]:
        """Read the file again; its faults, or nothing where it is in force now."""


class Preferences(Protocol):
    """What people have chosen for themselves. A person is a login, or, of one who sends without a login, the
    address (in any spelling). Any method may raise StoreError."""

    async def of(self, person: str) -> Preference:
        """What this person has chosen; asked for each mail that is held."""

    async def set(self, person: str, preference: Preference) -> None:
        """From now on this; on return it survives a loss of power."""


class Accounts(Protocol):
    """Who may log in, and as whom they may send."""

    async def authenticate(self, login: str, password: str) -> Account | None:
        """The account, or None where login or password is wrong; takes as long either way."""

    async def account(self, login: str) -> Account | None:
        """The account of this login, without a password."""

    async def members(self, address: str) -> frozenset[str]:
        """The logins that list exactly this address (in any spelling); patterns do not count."""
