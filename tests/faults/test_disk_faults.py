"""A disk that fails under the running guard: no 250 for what is not stored, and nothing worse afterwards."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests import guard as guards
from tests import sink as sinks
from tests.faults.injecting import (
    ask,
    assert_no_python_in_the_log,
    assert_turned_away,
    failing,
    hand_in,
    kill,
    state_of,
    store_files,
    subjects,
    taken,
    troubles,
    wait_for_first_sweep,
    wait_for_state,
)
from tests.guard import Guard
from tests.sink import Sink
from tests.slices import rounds

FAULTS = [
    (["fdatasync:error=EIO", "fsync:error=EIO"], (451,)),
    (["pwrite64:error=ENOSPC"], (451, 452)),
    (["pwrite64:error=EIO"], (451,)),
    (["fdatasync:error=ENOSPC", "fsync:error=ENOSPC"], (451, 452)),
]


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The upstream that remembers."""
    with sinks.running() as upstream:
        yield upstream


@pytest.fixture
def guard(sink: Sink, tmp_path: Path) -> Iterator[Guard]:
    """A guard that runs; it may have been killed and started again by the test."""
    guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port))
    guard.start()
    wait_for_first_sweep(guard)
    yield guard
    assert guard.stop() == 0, guard.log()
    assert_no_python_in_the_log(guard)


def assert_whole(guard: Guard) -> None:
    """The database of a guard that was stopped is sound."""
    with closing(sqlite3.connect(guard.directory / "state" / "queue.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_sync_that_fails_is_no_250_and_does_not_come_back_after_a_crash(guard: Guard, sink: Sink) -> None:
    """The failed message is in the log and in the machine's memory; a guard that is killed now must not find
    it there, or later mail would stand behind bytes that no sync brings to the disk any more."""
    held = taken(guard, "before")
    with failing(guard, ["fdatasync:error=EIO:when=1", "fsync:error=EIO:when=1"], store_files(guard)):
        assert_turned_away(hand_in(guard, "lost"), 451)
    kill(guard)
    guard.start()
    assert subjects(guard) == {"before"}
    next_one = taken(guard, "after")
    assert ask(guard, "release", next_one) == "done"
    sink.wait(lambda delivery: "after@customer.example" in delivery.recipients)
    assert state_of(guard, held) == "held"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "codes"),
    FAULTS[: rounds(len(FAULTS), slice_of=2)],
)
def test_a_disk_that_goes_on_failing(
    guard: Guard, sink: Sink, faults: list[str], codes: tuple[int, ...]
) -> None:
    """Nobody is told that something was done; when the disk is well again, all goes on by itself."""
    held, sent = taken(guard, "held"), taken(guard, "sent")
    with failing(guard, faults, store_files(guard)):
        for number in range(3):
            assert_turned_away(hand_in(guard, f"lost{number}"), *codes)
        cancelled = guard.verb("cancel", held)
        assert cancelled.returncode == 75, cancelled.stdout + cancelled.stderr
        assert "cancelled" not in cancelled.stdout
        assert ask(guard, "release", sent) == "try_later"
        if "EIO" in faults[0]:
            assert "failed" in troubles(guard)
    assert state_of(guard, held) == "held"
    assert subjects(guard) == {"held", "sent"}
    taken(guard, "after")
    assert ask(guard, "cancel", held) == "done"
    assert ask(guard, "release", sent) == "done"
    wait_for_state(guard, sent, "sent")
    kill(guard)
    guard.start()
    assert subjects(guard) == {"held", "sent", "after"}
    assert state_of(guard, held) == "cancelled"
    assert troubles(guard) == ""
    assert len(sink.deliveries) == 1
    guard.stop()
    assert_whole(guard)
    guard.start()


@pytest.mark.slow
def test_what_failed_in_the_middle_of_a_disk_fault_is_not_built_upon(guard: Guard) -> None:
    """Killed before the disk was well again: the start goes on from what it finds in the log (how: trace.py),
    and what was taken before is there."""
    taken(guard, "before")
    with failing(guard, ["fdatasync:error=EIO", "fsync:error=EIO"], store_files(guard)):
        assert_turned_away(hand_in(guard, "doubtful"), 451)
        kill(guard)
    guard.start()
    assert subjects(guard) - {"doubtful"} == {"before"}
    taken(guard, "after")


@pytest.mark.slow
def test_a_disk_that_cannot_be_read(guard: Guard, sink: Sink) -> None:
    """A body that cannot be read is no body that is gone: try again later, and it leaves when it can."""
    big = taken(guard, "big", padding=200_000)
    guard.stop()
    guard.start()
    with failing(guard, ["pread64:error=EIO"], store_files(guard)):
        shown = guard.verb("show", big, "--raw")
        assert shown.returncode == 75, shown.stdout
        assert ask(guard, "release", big) in ("done", "try_later")
        time.sleep(1.5)
        assert sink.deliveries == []
    if state_of(guard, big) == "held":
        assert ask(guard, "release", big) == "done"
    delivery = sink.wait(lambda delivery: "big@customer.example" in delivery.recipients)
    assert len(delivery.content) > 200_000
    assert len(sink.deliveries) == 1
    assert "store_fault" in guard.log()


class Doubtful(list[sinks.Delivery]):
    """Deliveries whose last dot is answered when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.answer = threading.Event(), threading.Event()

    def append(self, delivery: sinks.Delivery) -> None:
        super().append(delivery)
        self.taken.set()
        assert self.answer.wait(60)


@pytest.mark.slow
def test_what_has_left_and_cannot_be_written_down_is_not_sent_again(guard: Guard, sink: Sink) -> None:
    """It stays in hand, somebody is told, and it is written down when the disk lets it."""
    sink.deliveries = deliveries = Doubtful()
    message_id = taken(guard, "once")
    assert ask(guard, "release", message_id) == "done"
    assert deliveries.taken.wait(30)
    with failing(guard, ["fdatasync:error=EIO", "fsync:error=EIO"], store_files(guard)):
        deliveries.answer.set()
        time.sleep(4)
        assert state_of(guard, message_id) == "relaying"
        assert "store_error" in guard.log()
        assert "failed" in troubles(guard)
    wait_for_state(guard, message_id, "sent")
    assert len(deliveries) == 1
