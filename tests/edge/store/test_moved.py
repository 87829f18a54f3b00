"""The note beside a queue that was moved: no guard starts on it, whatever cut the moving off."""

from pathlib import Path

import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.store import Database, engine, moved
from tests.edge.store.samples import RecordingLog


async def test_a_queue_that_was_moved_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    await (await Database.open(path, log=RecordingLog())).close()
    moved.check(path)
    first = moved.begin(path, "db/mail")
    with pytest.raises(StoreError, match="cut off"):
        await Database.open(path, log=RecordingLog())
    # The moving goes on under the name that it had.
    again = moved.begin(path, "db/mail")
    assert again.token == first.token
    moved.finish(path, again)
    with pytest.raises(StoreError, match="was moved to db/mail"):
        await Database.open(path, log=RecordingLog())
    assert moved.read(path) == moved.Moved(to="db/mail", token=first.token, done=True)
    # Whoever moves it may look at it all the same.
    engine.connect(path, moved_too=True).close()


async def test_what_came_to_nothing_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    moved.begin(path, "db/mail")
    moved.forget(path)
    moved.forget(path)
    assert moved.read(path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    (tmp_path / "queue.db-moved").mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        moved.check(path)
    (tmp_path / "queue.db-moved").rmdir()
    # Half a note is a note.
    (tmp_path / "queue.db-moved").write_text("")
    with pytest.raises(StoreError, match="cut off"):
        moved.check(path)
