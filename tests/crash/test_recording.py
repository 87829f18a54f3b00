"""A trace is read as what the program did, in the worst order that its threads allow."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import recording
from tests.crash.disk import (
    Create,
    Disk,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncDirectory,
    Truncate,
    Write,
)
from tests.crash.recording import Said, Step

PROGRAM = """
import os, sys
at = sys.argv[1]
one = os.open(at + "/one", os.O_RDWR | os.O_CREAT)
os.pwrite(one, b"abc", 5)
os.ftruncate(one, 6)
os.fsync(one)
directory = os.open(at, os.O_RDONLY | os.O_DIRECTORY)
os.fsync(directory)
os.open(at + "/one", os.O_RDWR | os.O_CREAT)
os.rename(at + "/one", at + "/two")
os.close(os.open(at + "/three", os.O_RDWR | os.O_CREAT))
os.unlink(at + "/three")
os.write(1, b"250 done")
os.pwrite(one, b"late", 0)
"""

DONE: list[Operation] = [
    Create("one"),
    Write("one", 5, b"abc"),
    Truncate("one", 6),
    Sync("one"),
    SyncDirectory(),
    Rename("one", "two"),
    Create("three"),
    Remove("three"),
    Write("two", 0, b"late"),
]


def test_a_program_is_recorded_whole(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    log = tmp_path / "log"
    command = [*recording.command(log), sys.executable, "-c", PROGRAM, str(files)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    steps = recording.read(log, files)
    assert [step for step in steps if not isinstance(step, Said)] == DONE
    said = steps[-2]
    assert isinstance(said, Said) and said.data == b"250 done"
    disk = Disk()
    for step in DONE:
        disk.do(step)
    assert disk.everything() == {path.name: path.read_bytes() for path in files.iterdir()}


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def traced(*lines: str) -> list[Step]:
    return list(recording.steps(lines, "/q"))


FILE = f"3<{hexed('/q/db')}>"
SOCKET = "4<TCP:[127.0.0.1:25->127.0.0.1:4000]>"
CREATED = f'1 openat(AT_FDCWD, "{hexed("/q/db")}", O_RDWR|O_CREAT, 0600) = {FILE}'
SAID = Said("TCP:[127.0.0.1:25->127.0.0.1:4000]", b"250")


def test_a_sync_counts_when_it_is_done() -> None:
    begun, done = f"1 fsync({FILE} <unfinished ...>", "1 <... fsync resumed>) = 0"
    said = f'2 write({SOCKET}, "{hexed("250")}", 3) = 3'
    assert traced(CREATED, begun, said, done) == [Create("db"), SAID, Sync("db")]


def test_what_is_said_counts_when_it_is_begun() -> None:
    begun, done = f'2 write({SOCKET}, "{hexed("250")}", 3 <unfinished ...>', "2 <... write resumed>) = 3"
    synced = f"1 fsync({FILE}) = 0"
    assert traced(CREATED, begun, synced, done) == [Create("db"), SAID, Sync("db")]


def test_what_failed_was_not_done() -> None:
    assert traced(CREATED, f"1 fdatasync({FILE}) = -1 EIO (Input/output error)") == [Create("db")]


def test_other_directories_and_devices_do_not_matter() -> None:
    assert traced(f'1 write(1<{hexed("/dev/null")}<char 1:3>>, "{hexed("x")}", 1) = 1') == []
    assert traced(f'1 pwrite64(3<{hexed("/q/sub/db")}>, "{hexed("x")}", 1, 0) = 1') == []


@pytest.mark.parametrize(
    "line",
    [f'1 write({FILE}, "{hexed("x")}", 1) = 1', f"1 fallocate({FILE}, 0, 0, 100) = 0"],
)
def test_a_change_that_is_not_understood_is_told(line: str) -> None:
    with pytest.raises(ValueError, match="changes db"):
        traced(CREATED, line)
