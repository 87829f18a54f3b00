"""Looks into the images of a disk with the guard's own store, for all the cuts of a recorded run."""

import asyncio
import hashlib
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from mailguard.core.errors import MailguardError
from mailguard.edge.store import Database, SqliteStore
from mailguard.ports import Page
from tests.crash.disk import PAGE, SECTOR, Disk, Image, Sync, SyncDirectory
from tests.crash.promises import Kept, Promises
from tests.crash.recording import Said, Step
from tests.upstreams import Lines

# The rest of the state directory says nothing of any message.
_FILES = ("queue.db", "queue.db-wal", "queue.db-journal")


Found = dict[str, Kept] | str
"""The messages of an image by id, or why it cannot be read."""


@dataclass
class Cuts:
    """Cuts the power after every step of a recorded run. After every one, the image is looked at in which
    nothing unsynced survives; after every `every`th one the image in which all does, and `tears` of those in
    between."""

    workplace: Path
    promises: Promises
    every: int = 1
    tears: int = 2
    figures: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    _seen: dict[bytes, Found] = field(default_factory=dict)

    async def cut(self, steps: Sequence[Step]) -> None:
        """Note in `broken` what does not hold."""
        disk = Disk()
        least: Found = {}
        for number, step in enumerate(steps):
            if isinstance(step, Said):
                self.promises.hear(step)
            else:
                disk.do(step)
            if isinstance(step, Sync | SyncDirectory):
                least = await self._found(disk.nothing_unsynced())
            if isinstance(step, Said | Sync | SyncDirectory):
                # Other steps change neither what was promised nor the least that is there.
                self._hold(least, f"cut {number}, nothing unsynced")
            if number % self.every == 0:
                for kind, image in self._more(disk, number):
                    self._hold(await self._found(image), f"cut {number}, {kind}")
        self.figures["cut points"] += len(steps)
        self.figures["promises broken"] += len(self.broken)

    def _more(self, disk: Disk, number: int) -> Iterator[tuple[str, Image]]:
        yield "everything", disk.everything()
        for tear in range(self.tears):
            block = (SECTOR, PAGE)[tear % 2]
            yield f"torn {tear} at blocks of {block}", disk.something(Random(f"{number} {tear}"), block)

    async def _found(self, image: Image) -> Found:
        self.figures["images"] += 1
        wanted = {name: content for name, content in image.items() if name in _FILES}
        fingerprint = _fingerprint(wanted)
        if fingerprint not in self._seen:
            self.figures["different images"] += 1
            self._seen[fingerprint] = await look(wanted, self.workplace)
        return self._seen[fingerprint]

    def _hold(self, found: Found, which: str) -> None:
        """Hold what an image has against what was promised."""
        wrong = [found] if isinstance(found, str) else self.promises.broken(found)
        self.broken += [f"{which}: {sentence}" for sentence in wrong]


def _fingerprint(image: Image) -> bytes:
    digest = hashlib.blake2b()
    for name in sorted(image):
        digest.update(f"{name} {len(image[name])} ".encode() + image[name])
    return digest.digest()


async def look(image: Image, workplace: Path) -> Found:
    """What the guard's store makes of an image; its files are laid out in `workplace`."""
    shutil.rmtree(workplace, ignore_errors=True)
    await asyncio.to_thread(_lay_out, image, workplace)
    try:
        database = await Database.open(workplace / "queue.db", log=Lines())
    except MailguardError as error:
        return f"the store does not open: {error}"
    try:
        return await _messages(database)
    except MailguardError as error:
        return f"the store cannot be read: {error}"
    finally:
        await database.close()


def _lay_out(image: Image, workplace: Path) -> None:
    workplace.mkdir(parents=True)
    for name, content in image.items():
        (workplace / name).write_bytes(content)


async def _messages(database: Database) -> Found:
    sound = await database.read(_integrity)
    if sound != "ok":
        return f"damaged: {sound}"
    store = SqliteStore(database)
    found = await store.page(Page(finished=True, limit=100_000))
    return {one.id: Kept(one, await store.content(one.id)) for one in found}


def _integrity(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
