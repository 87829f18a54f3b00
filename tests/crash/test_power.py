"""A power cut at any moment loses nothing that was acknowledged, and undoes no cancel."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.edge.store.pieces import PIECE
from tests.crash import careless, killing, recording
from tests.crash.disk import Disk
from tests.crash.figures import tell
from tests.crash.images import Cuts
from tests.crash.phases import REFUSED, B, C
from tests.crash.promises import Promises
from tests.crash.recording import Said, Step
from tests.crash.stage import Stage, playing
from tests.guard import PROGRAM, environment
from tests.slices import rounds

# Large enough for fourteen of them to make the write-ahead log be written back in mid-run (1,000 pages).
LARGE = 100_000
# Of two pieces (edge/store/pieces.py).
IN_PIECES = PIECE + 50_000
ROOT = Path(__file__).parents[2]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Where images are laid out: in memory, where the system has such a place, because there are many."""
    shared = Path("/dev/shm")
    usable = shared.is_dir() and os.access(shared, os.W_OK)
    with tempfile.TemporaryDirectory(dir=shared if usable else tmp_path) as directory:
        yield Path(directory) / "image"


@contextlib.contextmanager
def recorded(stage: Stage, log: Path) -> Iterator[None]:
    """The guard of a stage, from its first start to its clean end."""
    serve = [str(PROGRAM), "serve", "--config", str(stage.guard.directory / "mailguard.toml")]
    with (stage.guard.directory / "log").open("ab") as output:
        command = [*recording.command(log), *serve]
        guard = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment()
        )
    stage.guard.process = guard
    deadline = time.monotonic() + 60
    while (process := killing.process_of(stage.guard)) is None:
        assert guard.poll() is None and time.monotonic() < deadline, stage.guard.log()
        time.sleep(0.05)
    try:
        yield
        os.kill(process, signal.SIGTERM)
        assert guard.wait(30) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        guard.wait(30)


def a_day(stage: Stage, large: int) -> None:
    """Everything that a guard promises, some of it at the same time."""
    clients = [
        threading.Thread(target=stage.submit, args=(f"together-{number}", B, C)) for number in range(4)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    stage.cancel("together-0")
    stage.cancel("together-1", C)
    stage.cancel("together-2")
    stage.restore("together-2")
    stage.submit("refused", B, REFUSED)
    stage.submit("stays", B, padding=5000)
    stage.submit("large-cancelled", B, padding=LARGE)
    stage.cancel("large-cancelled")
    stage.submit("in-pieces", B, padding=IN_PIECES)
    for key in ("together-1", "together-2", "refused", "in-pieces"):
        stage.ask("release", key)
    for number in range(large):
        stage.submit(f"large-{number}", B, padding=LARGE)
        stage.ask("release", f"large-{number}")
    left = ["together-1", "together-2", "in-pieces", *(f"large-{number}" for number in range(large))]
    deadline = time.monotonic() + 60
    while not (all(map(stage.witness.arrived, left)) and any(c.report for c in stage.witness.copies)):
        assert time.monotonic() < deadline, stage.guard.log()
        time.sleep(0.02)


def contents(stage: Stage) -> dict[str, bytes]:
    """The bytes of every message whose client heard its id."""
    return {mail.id: mail.content for mail in stage.mails.values() if mail.id}


async def test_a_power_cut_at_any_moment_of_a_short_day(tmp_path: Path, memory: Path) -> None:
    """Few images: one after each sync, and one torn at every fiftieth step."""
    cuts = await cut_day(tmp_path, memory, large=0, every=50, tears=1)
    tell("power cuts, short", cuts.figures)
    assert cuts.broken == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_power_cut_at_every_moment_of_a_day(tmp_path: Path, memory: Path) -> None:
    large, every = rounds(14, slice_of=1), rounds(3, slice_of=10)
    cuts = await cut_day(tmp_path, memory, large=large, every=every, tears=4)
    tell("power cuts", cuts.figures)
    assert cuts.broken == []


async def cut_day(directory: Path, memory: Path, *, large: int, every: int, tears: int) -> Cuts:
    """Record a day, and cut it."""
    log = directory / "recorded"
    with playing(directory) as stage:
        with recorded(stage, log):
            a_day(stage, large)
        restored = {mail.id for mail in stage.mails.values() if mail.id and mail.key == "together-2"}
        promises = Promises(contents=contents(stage), restored=restored)
        steps = recording.read(log, stage.state.resolve())
        assert_complete(steps, stage.state)
        assert len(promises.contents) == len(stage.mails)
    cuts = Cuts(workplace=memory, promises=promises, every=every, tears=tears)
    await cuts.cut(steps)
    assert promises.taken == set(promises.contents)
    assert len(promises.dropped) == 4 and len(promises.offered) == large + 5
    return cuts


def assert_complete(steps: list[Step], directory: Path) -> None:
    """The recorded steps make the files that are really there, so none was missed."""
    disk = Disk()
    for step in steps:
        if not isinstance(step, Said):
            disk.do(step)
    image = disk.everything()
    assert image.pop("guard.lock") == b""
    # Nobody reads the reserve: it is room.
    image.pop("reserve", None)
    assert "queue.db" in image
    assert image == {name: (directory / name).read_bytes() for name in image}


@pytest.mark.parametrize(
    ("synchronous", "loses"),
    [pytest.param("OFF", True, marks=pytest.mark.slow), ("NORMAL", True), ("FULL", False)],
)
async def test_a_store_that_syncs_too_little_is_found_out(
    tmp_path: Path, memory: Path, synchronous: str, *, loses: bool
) -> None:
    """The same store, once as it is, and twice with its safety taken away after it was opened."""
    files = tmp_path / "files"
    program = [sys.executable, "-m", "tests.crash.careless", str(files), synchronous]
    command = [*recording.command(tmp_path / "log"), *program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    steps = recording.read(tmp_path / "log", files.resolve())
    promises = Promises(contents=careless.CONTENTS)
    cuts = Cuts(workplace=memory, promises=promises, every=20, tears=1)
    await cuts.cut(steps)
    tell(f"power cuts, synchronous = {synchronous}", cuts.figures)
    assert promises.taken == set(careless.CONTENTS)
    lost = [text for text in cuts.broken if "nothing unsynced" in text and "lost: its client" in text]
    assert bool(lost) == bool(cuts.broken) == loses, cuts.broken[:3]
