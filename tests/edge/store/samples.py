"""What the tests of the stores put in and do, and a log that remembers."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailguard.core import delivery, moves
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.events import Event
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.identity import from_random
from mailguard.ports import Store
from tests.making import DELAY, MARGIN, NOW, message, recipient

CONTENT = b"Subject: Cost cuts\r\n\r\nNot for everybody.\r\n"
DUE = NOW + DELAY + MARGIN
LATER = NOW + timedelta(hours=1)


class RecordingLog:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.troubles: list[tuple[str, dict[str, object]]] = []

    def told(self, name: str) -> list[dict[str, object]]:
        """All that was told under this name."""
        return [fields for told, fields in (*self.events, *self.troubles) if told == name]

    def event(self, name: str, /, **fields: object) -> None:
        self.events.append((name, fields))

    def trouble(self, name: str, /, **fields: object) -> None:
        self.troubles.append((name, fields))


def new(held: HeldMessage, content: bytes = CONTENT) -> NewMessage:
    """The message as it comes in."""
    received = Event(at=held.received_at, event="received", by="a", detail={"peer": "127.0.0.1"})
    return NewMessage(message=replace(held, size=len(content)), content=content, event=received)


def numbered(count: int, **changes: object) -> list[HeldMessage]:
    """Messages with ids of their own, due one after the other."""
    rnd = random.Random(count)
    made = []
    for index in range(count):
        due = DUE + timedelta(milliseconds=index)
        to = recipient(f"b{index}@client.example", release_at=due - MARGIN, due_at=due)
        made.append(message(to, id=from_random(rnd.randbytes(8)), size=len(CONTENT), **changes))
    return made


async def put(store: Store, *held: HeldMessage) -> list[HeldMessage]:
    """Add these; as the store has them then."""
    await asyncio.gather(*(store.add(new(one)) for one in held))
    return [replace(one, size=len(CONTENT)) for one in held]


def taken(held: HeldMessage) -> list[Outcome]:
    """The upstream takes it for everybody in flight."""
    flying = [one for one in held.recipients if one.in_flight]
    return [Outcome(address=one.address, answer=Answer.TAKEN, reply="250 2.0.0 Ok") for one in flying]


def settled(held: HeldMessage, now: datetime = LATER) -> Change:
    """The message has left."""
    return delivery.settle(held, taken(held), by="mailguard", now=now)


def cancelled(held: HeldMessage, now: datetime = NOW) -> Change:
    """Its sender stops it."""
    change = moves.cancel(held, (), by="a", now=now)
    assert isinstance(change, Change)
    return change


def ids(messages: Sequence[HeldMessage]) -> list[str]:
    return [one.id for one in messages]


def claimed_ids(claimed: Sequence[Claimed]) -> list[str]:
    return [one.message.id for one in claimed]
