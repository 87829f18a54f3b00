"""Large bodies in pieces: written before the message that they belong to, a transaction each.

A body of 25 MB in one transaction keeps everybody else from the disk for a second. So its pieces go in one
by one, in turn with what others write, and are loose until the transaction of their message names them: a
message is there with all its bytes or not at all. What stays loose, because somebody broke off or a message
has no body any more, is removed, also a piece at a time.
"""

import contextlib
import io
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence, Set
from contextlib import asynccontextmanager

from mailguard.core.errors import StoreError
from mailguard.core.value import dataclass, replace
from mailguard.edge.store.bulk import listed
from mailguard.edge.store.rows import AddedRows
from mailguard.edge.store.sqlite import Database

# Of a longer body this much is written at once, some five milliseconds.
PIECE = 512 * 1024
# What else is written with a piece: no two of them fit into one transaction.
_ROWS = 512
# What is removed in one transaction.
_AT_ONCE = 2

_BODY = "SELECT content, upload FROM body WHERE message = ?"


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of a body; `rest` is what is still to be written of it, this piece included. A `vital`
    one may have the last of the disk's room."""

    upload: int
    content: memoryview
    rest: int
    vital: bool


@dataclass(slots=True)
class Upload:
    """New messages whose large bodies have been written; `named` is for who has put them in."""

    adds: Sequence[AddedRows]
    named: bool = False


class Pieces:
    """The way of large bodies into a database and out of it. `fits` tells for which of some pieces there is
    room, and gives the error for the others."""

    def __init__(
        self,
        database: Database,
        fits: Callable[[sqlite3.Connection, Sequence[tuple[int, bool]]], Sequence[StoreError | None]],
    ) -> None:
        self._database = database
        self._fits = fits
        # Looked at in the store's thread: a number is in it before its first piece is written, and until its
        # message has it or nobody wants it.
        self._coming: set[int] = set()

    @asynccontextmanager
    async def upload(self, adds: Sequence[AddedRows], *, vital: bool) -> AsyncIterator[Upload]:
        """Write what is large of these; what is not `named` in the end is removed. Raises StoreError."""
        numbers = {place: secrets.randbits(62) for place, one in enumerate(adds) if len(one.content) > PIECE}
        upload = Upload([])
        self._coming.update(numbers.values())
        try:
            for place, number in numbers.items():
                await self._write(number, adds[place].content, vital=vital)
            upload.adds = [
                replace(one, content=b"", upload=numbers[place]) if place in numbers else one
                for place, one in enumerate(adds)
            ]
            yield upload
        finally:
            self._coming.difference_update(numbers.values())
            if not upload.named:
                # Not with the last of the disk's room: perhaps it was the lack of it that this ended by.
                await self.clear()

    async def _write(self, upload: int, content: bytes, *, vital: bool) -> None:
        # Never released here: a caller that gives up leaves its last piece to the store's thread.
        view = memoryview(content)
        for start in range(0, len(view), PIECE):
            piece = Piece(upload, view[start : start + PIECE], len(view) - start, vital)
            weight = len(piece.content) + _ROWS
            await self._database.write(self._put, piece, weight=weight, vital=vital)

    def _put(self, connection: sqlite3.Connection, jobs: Sequence[Piece]) -> list[StoreError | None]:
        faults = self._fits(connection, [(job.rest, job.vital) for job in jobs])
        for job, fault in zip(jobs, faults, strict=True):
            if fault is None:
                connection.execute("INSERT OR IGNORE INTO loose (upload) VALUES (?)", (job.upload,))
                connection.execute(
                    "INSERT INTO piece (upload, content) VALUES (?, ?)", (job.upload, job.content)
                )
        return list(faults)

    async def clear(self, *, vital: bool = False) -> None:
        """Remove what is loose and nobody is writing. Where that cannot be done now, the next time."""
        with contextlib.suppress(StoreError):
            while await self._database.write(_clear, self._coming, vital=vital):
                pass


def name(connection: sqlite3.Connection, uploads: Sequence[int]) -> None:
    """These belong to a message from now on. Raises StoreError where one of them is not there any more."""
    if not uploads:
        return
    found = connection.execute(
        "DELETE FROM loose WHERE upload IN (SELECT value FROM json_each(?)) RETURNING upload",
        (listed(uploads),),
    ).fetchall()
    if len(found) != len(uploads):
        raise StoreError("the body of a new message was removed before the message was there; try again")


def drop(connection: sqlite3.Connection, numbers: str) -> None:
    """The messages with these numbers (a JSON list) have no bodies any more."""
    found = connection.execute(
        "DELETE FROM body WHERE message IN (SELECT value FROM json_each(?)) RETURNING upload", (numbers,)
    ).fetchall()
    loose = [(upload,) for (upload,) in found if upload is not None]
    connection.executemany("INSERT INTO loose (upload) VALUES (?)", loose)


def body(connection: sqlite3.Connection, number: int) -> bytes | None:
    """The bytes of the message with this number, or None where they are gone."""
    content, upload = connection.execute(_BODY, (number,)).fetchone() or (None, None)
    if upload is None:
        return content
    # Not joined from a list, which would have them in memory twice.
    made = io.BytesIO()
    for (piece,) in connection.execute("SELECT content FROM piece WHERE upload = ? ORDER BY n", (upload,)):
        made.write(piece)
    return made.getvalue()


def _clear(connection: sqlite3.Connection, jobs: Sequence[Set[int]]) -> list[bool]:
    """Remove some of what is loose and not in the set; whether there may be more."""
    loose = {upload for (upload,) in connection.execute("SELECT upload FROM loose")} - set(jobs[0])
    for upload in loose:
        gone = connection.execute(
            "DELETE FROM piece WHERE n IN (SELECT n FROM piece WHERE upload = ? LIMIT ?)", (upload, _AT_ONCE)
        ).rowcount
        if gone < _AT_ONCE:
            connection.execute("DELETE FROM loose WHERE upload = ?", (upload,))
        break
    return [bool(loose)] * len(jobs)
