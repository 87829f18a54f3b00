"""Many rows by one statement, in which each value is a parameter of its own.

psycopg takes a value in C and a list apart in Python: as one list for each column, the rows of a message cost
the guard ten times as much.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.types.numeric import Int8

from mailguard.core.value import dataclass
from mailguard.edge.store import rows
from mailguard.edge.store.bulk import chunks

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RowsStatement:
    """A statement around a VALUES list: `head`, then a value of each of the `types` a row, then `tail`."""

    head: str
    types: tuple[str, ...]
    tail: str = ""

    async def run(self, connection: AsyncConnection[Values], many: Sequence[Values]) -> None:
        """Execute it for all rows, in their order; inside a pipeline nobody waits for it."""
        for chunk in chunks(many):
            cursor = AsyncRawCursor(connection)
            await cursor.execute(_text(self, len(chunk)), [_sent(value) for row in chunk for value in row])


@lru_cache(maxsize=128)
def _text(statement: RowsStatement, count: int) -> bytes:
    width = len(statement.types)
    lists = (
        ",".join(f"${row * width + place}::{kind}" for place, kind in enumerate(statement.types, 1))
        for row in range(count)
    )
    values = ",".join(f"({one})" for one in lists)
    return f"{statement.head} (VALUES {values}) {statement.tail}".encode()


def _sent(value: Any) -> Any:
    """Of one type in the database whatever it is: a statement is prepared anew for each other type."""
    if type(value) is int:
        return Int8(value)
    return rows.time(value) if isinstance(value, datetime) else value


def array(numbers: Iterable[int]) -> str:
    """Whole numbers as the text of an array."""
    return f"{{{','.join(map(str, numbers))}}}"


def byte_array(strings: Iterable[bytes]) -> str:
    """Strings of bytes as the text of an array; for short ones."""
    return "{" + ",".join(f'"\\\\x{one.hex()}"' for one in strings) + "}"
