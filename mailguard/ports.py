"""What the use cases need of the world, as Protocols; mailguard/edge has one real answer to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mailguard.core.account import Account
from mailguard.core.delivery import Outcome
from mailguard.core.errors import Fault
from mailguard.core.events import Event
from mailguard.core.facts import Body, Headers, Thread
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.policy import Policy
from mailguard.core.states import MessageState


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Which messages to list: at most `limit`, next to leave first, after the message with id `after`.

    `states` empty means all that are not finished (with `finished`: those too).
    """

    states: frozenset[MessageState] = frozenset()
    sender: str | None = None
    finished: bool = False
    after: str | None = None
    limit: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """How many messages are in each state, and what should have left already."""

    by_state: Mapping[MessageState, int] = field(default_factory=dict)
    overdue: int = 0
    oldest_overdue: datetime | None = None


class Store(Protocol):
    """The queue. Every method that changes something returns after it is synced to the disk.

    Any method may raise StoreError, whose meaning is always "not now".
    """

    async def add(self, new: NewMessage) -> None:
        """Put a message in. On return it survives a loss of power."""

    async def find(self, prefix: str) -> HeldMessage:
        """The message whose id is, or starts with, `prefix` (normalised).

        Raises NoSuchMessage, AmbiguousId.
        """

    async def apply(self, change: Change) -> bool:
        """Make one step, whole, if nobody was faster; False where somebody was (nothing changed then)."""

    async def page(self, page: Page) -> Sequence[HeldMessage]:
        """The messages of one page: overdue first, then by the time they leave, then those without one."""

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

    async def stranded(self) -> Sequence[HeldMessage]:
        """Messages that a guard had in hand when it stopped: state RELAYING at a start."""

    async def forget(self, finished_before: datetime, undo_before: datetime, limit: int) -> int:
        """Remove bytes that no restore can want any more (finished before `undo_before`) and the metadata
        of messages finished before `finished_before`; how many messages were touched."""

    async def census(self, now: datetime) -> Census:
        """Counts by state, and what is overdue."""

    async def close(self) -> None:
        """Finish what is being written and let the store go."""


class Memory(Protocol):
    """What was learnt from mail that really left."""

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        """Who took part in the threads that these ids lead to."""

    async def learn(self, message_id: str, answers: Sequence[str], participants: Sequence[str]) -> None:
        """A message really left: join its thread (the ids it answers) and its people (normal forms)."""


class Relay(Protocol):
    """The way to the real outgoing server."""

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once with these bytes; one outcome each, in their order.

        Never raises.
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


class Accounts(Protocol):
    """Who may log in, and as whom they may send."""

    async def authenticate(self, login: str, password: str) -> Account | None:
        """The account, or None where login or password is wrong; takes as long either way."""

    async def account(self, login: str) -> Account | None:
        """The account of this login, without a password."""


class Log(Protocol):
    """The operator's log: one line an event, no secrets, no bodies."""

    def event(self, name: str, /, **fields: object) -> None:
        """Something happened that an operator may look for."""

    def trouble(self, name: str, /, **fields: object) -> None:
        """Something went wrong that somebody should look at."""


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
