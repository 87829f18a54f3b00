"""A program that keeps mail in the guard's own store and says 250, but syncs as its command line says."""

import asyncio
import sys
from pathlib import Path

from mailguard.core.events import Event
from mailguard.core.hold import NewMessage
from mailguard.edge.store import Database, SqliteStore
from tests import making
from tests.upstreams import Lines

CONTENTS = {f"m{number}": f"Subject: {number}\r\n\r\nHello\r\n".encode() * 20 for number in range(10)}


async def keep(directory: Path, synchronous: str) -> None:
    """Keep all of CONTENTS, one after the other, and say so on standard output."""
    directory.mkdir()
    database = await Database.open(directory / "queue.db", log=Lines())
    await database.read(lambda connection: connection.execute(f"PRAGMA synchronous = {synchronous}"))
    store = SqliteStore(database)
    for name, content in CONTENTS.items():
        message = making.message(id=name, size=len(content))
        event = Event(at=making.NOW, event="received", by="a@corp.example")
        await store.add(NewMessage(message=message, content=content, event=event))
        print(f"250 2.0.0 Held as {name}", flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1]), sys.argv[2]))
