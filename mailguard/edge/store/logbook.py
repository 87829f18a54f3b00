"""What the log of observations is made of in every store: its rows, and how they are read and taken apart."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from mailguard.core.recall.observation import decode, encode, without
from mailguard.core.value import dataclass
from mailguard.edge.store.text import storable
from mailguard.ports import Entry, Log

# Rows of one step of erasing or forgetting: some ten milliseconds, in which nobody else can write.
AT_ONCE = 2000
# What a mail's entry weighs beside messages when writes are put together.
WEIGHT = 512

NewRow = tuple[int, int, float | None, int | None, bytes]
"""Time, mark, score, version of the judge, and the observation itself."""

Row = tuple[int, int, int, float | None, int | None, bytes]
"""The number in the log, and the rest of it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to be added, and how far the reader of their source is with them."""

    rows: Sequence[NewRow]
    source: str
    place: str

    @property
    def weight(self) -> int:
        """Roughly its size in bytes."""
        return WEIGHT * len(self.rows)


@dataclass(frozen=True, slots=True)
class Erasing:
    """Take a person out of the AT_ONCE rows after this number."""

    address: str
    after: int

    @property
    def last(self) -> int:
        """The number of the last of them."""
        return self.after + AT_ONCE

    @property
    def sought(self) -> bytes:
        """What a row that names the person has in it; it may be a part of another address."""
        return self.address.encode("utf-8", "surrogatepass")


def batch(entries: Sequence[Entry], source: str, place: str) -> Batch:
    """What is written of these."""
    rows = [
        (one.observation.when, one.mark, one.score, one.judged_by, encode(one.observation)) for one in entries
    ]
    return Batch(rows, storable(source), storable(place))


def decoded(rows: Iterable[Row], log: Log) -> list[Entry]:
    """The entries of these rows. One that cannot be read is told to the operator, and hides no other."""
    found = []
    for number, _, mark, score, judged_by, content in rows:
        try:
            observation = decode(content)
        except ValueError as error:
            log.trouble("record_unreadable", number=number, fault=str(error))
            continue
        entry = Entry(number=number, mark=mark, observation=observation, score=score, judged_by=judged_by)
        found.append(entry)
    return found


async def next_entries(
    after: tuple[int, int], read: Callable[[tuple[int, int]], Awaitable[Sequence[Row]]], log: Log
) -> list[Entry]:
    """What can be read and comes after this time and number; `read` finds the rows after such a place."""
    while rows := await read(after):
        # A hundred thousand of them are read after a start: not on the event loop.
        found = await asyncio.to_thread(decoded, rows, log)
        if found:
            return found
        # All of these are unreadable, and not the last.
        number, when, *_ = rows[-1]
        after = (when, number)
    return []


def left_of(content: bytes, address: str) -> bytes | None:
    """An entry without a person; None where nothing is left of it."""
    try:
        observation = decode(content)
    except ValueError:
        # Nobody can read it, and it may name him.
        return None
    left = without(observation, address)
    if left is observation:
        return content
    return None if left is None else encode(left)


async def all_steps(address: str, latest: int, erase: Callable[[Erasing], Awaitable[int]]) -> int:
    """Take a person out of all entries up to the number `latest`, step by step; how many had him."""
    total, after = 0, 0
    while after < latest:
        total += await erase(step := Erasing(address, after))
        after = step.last
    return total


def by_person(rows: Iterable[tuple[str, str, str]]) -> Mapping[str, frozenset[tuple[str, str]]]:
    """What was meant, by the person who said yes to it; a row is person, code, address."""
    found: dict[str, set[tuple[str, str]]] = {}
    for person, code, address in rows:
        found.setdefault(person, set()).add((code, address))
    return {person: frozenset(reasons) for person, reasons in found.items()}
