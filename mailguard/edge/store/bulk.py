"""Many rows by one statement.

SQLite needs no help to be fast with a row at a time; Python does: the interpreter's lock is given up and
fought for again at every step of every statement, and while the event loop is busy each of those steps
can wait for milliseconds. So the writer's thread asks for many rows a step.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from mailguard.core.value import dataclass

Value = str | bytes | int | None
Row = tuple[Value, ...]
T = TypeVar("T")

# Chunks are powers of two, so that a handful of prepared statements serves every number of rows.
LARGEST_CHUNK = 64


@dataclass(frozen=True, slots=True)
class RowsStatement:
    """A statement around a VALUES list: `head`, then `width` values a row, then `tail`."""

    head: str
    width: int
    tail: str = ""

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Execute it for all rows, in their order."""
        one = "(" + ",".join("?" * self.width) + ")"
        for chunk in chunks(rows):
            text = " ".join((self.head, ",".join([one] * len(chunk)), self.tail))
            connection.execute(text, [value for row in chunk for value in row])


def chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in few portions, whose sizes are powers of two."""
    start = 0
    while left := len(rows) - start:
        size = min(LARGEST_CHUNK, 1 << (left.bit_length() - 1))
        yield rows[start : start + size]
        start += size


def listed(values: Iterable[str | int]) -> str:
    """Values as the one parameter of `IN (SELECT value FROM json_each(?))`."""
    return json.dumps(list(values))
