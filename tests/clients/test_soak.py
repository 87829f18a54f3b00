"""A busy day in a few minutes: memory, open files and the queue's file stay within bounds."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest

from tests import guard as guards
from tests.guard import Guard
from tests.programs import free_port, require
from tests.slices import rounds

BATCH = 2000
MIB = 1024 * 1024


def resident(guard: Guard) -> int:
    """Bytes of memory that the guard really has."""
    assert guard.process
    for line in Path(f"/proc/{guard.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the guard is gone")


def open_files(guard: Guard) -> int:
    """How many files and sockets the guard has open."""
    assert guard.process
    return len(list(Path(f"/proc/{guard.process.pid}/fd").iterdir()))


def one_batch(guard: Guard, sent_before: int) -> None:
    """Hand in a batch over many short connections, and wait until all of it has left."""
    source = require("smtp-source", package="postfix")
    command = [
        source,
        "-s",
        "10",
        "-l",
        "4096",
        "-m",
        str(BATCH),
        "-f",
        guards.SENDER,
        "-t",
        "b@client.example",
    ]
    subprocess.run([*command, f"127.0.0.1:{guard.port}"], check=True, timeout=300)
    deadline = time.monotonic() + 120
    while (counts := guard.ask("status")["messages"])["sent"] < sent_before + BATCH:
        assert time.monotonic() < deadline, counts
        time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_and_open_files_stay_as_they_are(tmp_path: Path) -> None:
    port = free_port()
    program = require("smtp-sink", package="postfix")
    sink = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "500"], stdout=subprocess.DEVNULL)
    rules = guards.RULES.replace('"1h"', '"0s"')
    try:
        with guards.running(tmp_path, guards.smtp_upstream(port), rules=rules) as guard:
            one_batch(guard, 0)
            memory, files = resident(guard), open_files(guard)
            batches = rounds(30, slice_of=3)
            for batch in range(1, batches + 1):
                one_batch(guard, batch * BATCH)
            # SQLite's page cache fills up, to a bound; a leak grows by the message.
            assert resident(guard) - memory < rounds(48, slice_of=20) * MIB
            assert open_files(guard) <= files + 10
            log = tmp_path / "state" / "queue.db-wal"
            assert not log.exists() or log.stat().st_size < 64 * MIB
    finally:
        with contextlib.suppress(ProcessLookupError):
            sink.kill()
        sink.wait()
