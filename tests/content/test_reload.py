"""A rules file that is broken, half written or no file at all: the old rules stay, and the error is shown."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailguard.edge.config import RulesFile

GOOD = b'[[rule]]\nname = "old"\ndelay = "5m"\n'
NEW = b'internal_domains = ["corp.example"]\n[[rule]]\nname = "new"\ndelay = "1h"\nwhen.to = "external"\n'

WRITER = """
import sys, time
with open(sys.argv[1], "r+b", buffering=0) as rules:
    rules.truncate(0)
    for byte in sys.stdin.buffer.read():
        rules.write(bytes([byte]))
        if byte == ord("u"):
            print(flush=True)
            time.sleep(60)
"""


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def _huge(path: Path) -> None:
    with path.open("r+b") as rules:
        rules.truncate(1 << 40)


BROKEN: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(b"\0" * 4096),
    "not UTF-8": lambda path: path.write_bytes(GOOD + b"# \xff\n"),
    "UTF-16": lambda path: path.write_bytes(GOOD.decode().encode("utf-16")),
    "half a table": lambda path: path.write_bytes(NEW[:60]),
    "deep nesting": lambda path: path.write_bytes(b"a = " + b"[" * 50_000),
    "a directory": _directory,
    "a pipe that nobody writes to": _pipe,
    "a link to itself": _circle,
    "a link to nowhere": _dangling,
    "a terabyte of nothing": _huge,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_the_old_rules_stay_and_the_error_is_shown(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(GOOD)
    rules = RulesFile.load(path)
    before = rules.current
    BROKEN[broken](path)
    start = time.monotonic()
    faults = await asyncio.wait_for(rules.reload(), 5)
    assert faults
    assert "rules.toml" in str(faults[0])
    assert rules.faults == faults
    assert rules.current is before
    assert time.monotonic() - start < 5


async def test_a_writer_that_is_killed_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(GOOD)
    rules = RulesFile.load(path)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdin
    assert writer.stdout
    writer.stdin.write(NEW)
    writer.stdin.close()
    writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert 0 < path.stat().st_size < len(NEW)
    assert await rules.reload()
    assert [rule.name for rule in rules.current.rules] == ["old"]
    path.write_bytes(NEW)
    assert await rules.reload() == ()
    assert [rule.name for rule in rules.current.rules] == ["new"]


async def test_every_beginning_of_a_file_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(GOOD)
    rules = RulesFile.load(path)
    for end in range(len(NEW)):
        before = rules.current
        path.write_bytes(NEW[:end])
        if await rules.reload():
            assert rules.current is before
        else:
            assert rules.current is not before
