"""Every image of a disk is looked into as the guard would, and a damaged one is told of."""

from pathlib import Path

from mailguard.core.events import Event
from mailguard.core.hold import NewMessage
from mailguard.edge.store import Database, SqliteStore
from tests import making
from tests.crash import images
from tests.crash.disk import Image
from tests.upstreams import Lines

CONTENT = b"Subject: one\r\n\r\nHello\r\n" * 500


async def kept(path: Path) -> Image:
    """The file of a store that keeps one message."""
    database = await Database.open(path, log=Lines())
    event = Event(at=making.NOW, event="received", by="a@corp.example")
    await SqliteStore(database).add(NewMessage(message=making.message(), content=CONTENT, event=event))
    await database.close()
    return {"queue.db": path.read_bytes(), "control.sock": b""}


async def test_the_messages_of_an_image(tmp_path: Path) -> None:
    found = await images.look(await kept(tmp_path / "queue.db"), tmp_path / "image")
    assert isinstance(found, dict)
    assert [(one.message.id, one.content) for one in found.values()] == [(making.message().id, CONTENT)]


async def test_no_file_is_an_empty_store(tmp_path: Path) -> None:
    assert await images.look({}, tmp_path / "image") == {}


async def test_a_damaged_image_is_told_of(tmp_path: Path) -> None:
    content = (await kept(tmp_path / "queue.db"))["queue.db"]
    torn = content[:8192] + bytes(8192) + content[16384:]
    said = [await images.look({"queue.db": one}, tmp_path / "image") for one in (b"no database" * 100, torn)]
    assert [text for text in said if not isinstance(text, str)] == []
