"""The file: private, synced, and a clear word about what is wrong with it."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError, StoreLocked, UnknownSchema
from mailguard.edge.store import engine
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from mailguard.ports import Page
from tests.edge.store.samples import RecordingLog, new, numbered, put
from tests.making import NOW, message

ADD = """
import asyncio, sys
from pathlib import Path
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from tests.edge.store.samples import RecordingLog, new, numbered

async def main():
    database = await Database.open(Path(sys.argv[1]), log=RecordingLog())
    store = SqliteStore(database)
    for one in numbered(int(sys.argv[2])):
        await store.add(new(one))
        print(one.id, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def refusal(path: Path) -> str:
    with pytest.raises((StoreError, UnknownSchema)) as caught:
        await Database.open(path, log=RecordingLog())
    assert str(path) in str(caught.value)
    return str(caught.value)


async def filled(path: Path) -> None:
    database = await Database.open(path, log=RecordingLog())
    await asyncio.gather(*(SqliteStore(database).add(new(one, b"x" * 20_000)) for one in numbered(30)))
    await database.close()


async def test_the_file_is_private_and_so_is_its_log(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    database = await Database.open(path, log=RecordingLog())
    await put(SqliteStore(database), message())
    modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    # No shared memory: nobody but this connection can ever read the log.
    assert modes == {"queue.db": 0o600, "queue.db-wal": 0o600, "queue.db-trace": 0o600}
    await database.close()


async def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    await filled(path)
    path.chmod(0o644)
    await (await Database.open(path, log=RecordingLog())).close()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    await filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO schema_version VALUES (99, 'future', 'x', ?)", (str(NOW),))
    before = path.read_bytes()
    told = await refusal(path)
    assert path.read_bytes() == before
    assert "newer mailguard" in told


@pytest.mark.parametrize("left", [100, 4096, 300_000])
async def test_a_cut_file_is_told(tmp_path: Path, left: int) -> None:
    path = tmp_path / "queue.db"
    await filled(path)
    os.truncate(path, left)
    told = await refusal(path)
    assert "damaged" in told
    assert "backup" in told


async def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    path.write_bytes(b"From a@corp.example Sun Nov 22 10:00:00 2026\n" * 200)
    assert "damaged" in await refusal(path)


async def test_damage_that_shows_later_is_told(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    await filled(path)
    with path.open("r+b") as file:
        # Page 1, with the schema, stays whole.
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    log = RecordingLog()
    try:
        database = await Database.open(path, log=log)
    except StoreError as error:
        assert "damaged" in str(error)
        return
    with pytest.raises(StoreError, match="damaged"):
        await SqliteStore(database).page(Page())
    assert [name for name, _ in log.troubles] == ["store_fault"]
    await database.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user for whom a mode means something."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_directory_that_cannot_be_written_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"
        Path(folder).chmod(0o555)
        with as_nobody():
            told = await refusal(path)
        assert "cannot use" in told
        Path(folder).chmod(0o755)


async def test_a_file_that_cannot_be_written_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"
        await filled(path)
        Path(folder).chmod(0o755)
        with as_nobody():
            if os.geteuid() == path.stat().st_uid:
                path.chmod(0o000)
            assert "cannot" in await refusal(path)


async def test_a_file_that_another_program_has_open_is_told(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with subprocess.Popen([sys.executable, "-c", ADD, str(path), "1"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert len(other.stdout.readline()) > 5
        with pytest.raises(StoreLocked, match="another program"):
            await Database.open(path, log=RecordingLog())
        other.kill()
        other.wait()
    database = await Database.open(path, log=RecordingLog())
    assert len(await SqliteStore(database).page(Page())) == 1
    await database.close()


@pytest.mark.parametrize("count", [1, 20, 61])
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, count: int) -> None:
    path = tmp_path / "queue.db"
    acknowledged = []
    with subprocess.Popen([sys.executable, "-c", ADD, str(path), "2000"], stdout=subprocess.PIPE) as guard:
        assert guard.stdout is not None
        acknowledged = [guard.stdout.readline() for _ in range(count)]
        guard.kill()
        # What it had still said when it was killed counts too; half a line does not.
        acknowledged += [
            line for line in guard.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")
        ]
    database = await Database.open(path, log=RecordingLog())
    store = SqliteStore(database)
    sent = {one.id: one for one in numbered(2000)}
    for line in acknowledged:
        one = line.decode().strip()
        assert await store.find(one) == new(sent[one]).message
        assert await store.content(one) == new(sent[one]).content
        assert len(await store.events(one)) == 1
    assert await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
    await database.close()


def test_the_settings_are_those_that_the_promise_needs(tmp_path: Path) -> None:
    connection = engine.connect(tmp_path / "queue.db")
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "locking_mode", "auto_vacuum", "secure_delete")
    }
    connection.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "locking_mode": "exclusive",
        "auto_vacuum": 2,
        "secure_delete": 1,
    }
