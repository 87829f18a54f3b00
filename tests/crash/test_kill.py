"""Nothing acknowledged is lost and nothing cancelled is sent, at whatever system call the guard is killed."""

import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pytest

from tests.crash import killing
from tests.crash.figures import tell
from tests.crash.killing import Point
from tests.crash.ledger import apart, broken
from tests.crash.phases import PHASES, B, C, Phase
from tests.crash.stage import Stage, playing
from tests.programs import require
from tests.slices import rounds

T = TypeVar("T")

NOW, SOON = "b@now.example", "b@soon.example"


def spread(everything: Sequence[T], wanted: int) -> list[T]:
    """So many of them, from the middles of as many equal parts; all of them where that is fewer."""
    if wanted >= len(everything):
        return list(everything)
    return [everything[int((index + 0.5) * len(everything) / wanted)] for index in range(wanted)]


def test_a_slice_is_spread_over_the_whole() -> None:
    assert spread(range(100), 1) == [50]
    assert spread(range(100), 4) == [12, 37, 62, 87]
    assert spread(range(3), 10_000) == [0, 1, 2]


def sweep(stage: Stage, phase: Phase, wanted: int) -> Counter[str]:
    """Kill the guard at points of a phase, one life of the guard for each; figures of what was tried."""
    key = f"{phase.name}-counted"
    phase.prepare(stage, key)
    found = killing.count(stage.guard, stage.trace, phase.parts, lambda: phase.act(stage, key))
    tried: Counter[str] = Counter({"points": len(found), "kills": 0})
    chosen = spread(found, wanted)
    others = (point for point in found if point not in chosen)
    # A slice whose few points are all missing would prove nothing, so it takes one of the others.
    for point in chain(chosen, others):
        if tried["kills"] and tried["kills"] + tried["points not met again"] >= len(chosen):
            break
        # Threads do not take turns in the same way each time, so a call can be missing once.
        met = any(killed(stage, phase, point, f"{phase.name}-{point}-{turn}") for turn in range(3))
        tried["kills" if met else "points not met again"] += 1
    return tried


def killed(stage: Stage, phase: Phase, point: Point, key: str) -> bool:
    """Kill the guard once, and start it again; False where it came to the end of the phase before."""
    phase.prepare(stage, key)
    died = killing.kill(stage.guard, stage.trace, point, lambda: phase.act(stage, key))
    if died:
        stage.died()
        stage.next_life()
        # So that the next point is met by its own mail.
        stage.calm()
    return died


def concluded(what: str, stage: Stage, tried: Counter[str], keys: str) -> None:
    """Nothing is broken; say what was tried, and of mails whose key begins with `keys` what came of them."""
    ledger = stage.settle()
    wrong = broken(ledger)
    mails = [one for one in apart(ledger) if one.mails[0].key.startswith(keys)]
    records = [record for one in mails for record in one.records]
    copies = [len(one.copies_of(mail, to)) for one in mails for mail in one.mails for to in mail.recipients]
    tried["mails"] = len(mails)
    tried["second copies"] = sum(max(0, count - 1) for count in copies)
    tried["doubts recorded"] = sum(sum(record.doubts.values()) for record in records)
    tried["promises broken"] = len(wrong)
    tell(what, tried)
    assert wrong == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One guard for all the phases: the older its state directory, the better."""
    require("strace")
    with playing(tmp_path_factory.mktemp("stage")) as played:
        played.guard.start()
        yield played


def test_a_kill_between_departure_and_record_is_owned_to(stage: Stage) -> None:
    """The known window (RFC 1047): the server has the message, the guard dies before it writes that down."""
    [leave] = [phase for phase in PHASES if phase.name == "leave"]
    # How many pages a step before it writes is not the same each time: the call that is chosen may be missed.
    for attempt in range(8):
        leave.prepare(stage, f"counted-{attempt}")
        found = killing.count(
            stage.guard, stage.trace, leave.parts, partial(leave.act, stage, f"counted-{attempt}")
        )
        point = next(point for point in found if (point.part, point.call) == ("record", "pwrite64"))
        died = killed(stage, leave, point, f"window-{attempt}")
        ledger = stage.settle()
        assert broken(ledger) == []
        mail = stage.mails[f"window-{attempt}"]
        copies = [len(ledger.copies_of(mail, one)) for one in (B, C)]
        assert copies in ([1, 1], [2, 2])
        if died and copies == [2, 2]:
            break
    else:
        pytest.fail("no kill came between the departure and its record")
    record = ledger.record(mail)
    assert record and record.doubts == {B: 1, C: 1}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_a_kill_at_every_call(stage: Stage, phase: Phase) -> None:
    tried = sweep(stage, phase, rounds(10_000, slice_of=phase.few))
    assert tried["kills"]
    concluded(f"kill -9, {phase.name}", stage, tried, phase.name + "-")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_kill_at_every_call_of_a_start_after_a_kill(stage: Stage) -> None:
    """The dead guard had a message in the outgoing server's ear, and no answer yet."""
    strand(stage, "start-counted")
    stage.witness.life += 1
    found = killing.count_start(stage.guard, stage.trace, "start")
    stage.witness.await_quiet()
    tried: Counter[str] = Counter({"points": len(found), "kills": 0})
    for point in spread(found, rounds(10_000, slice_of=1)):
        stage.next_life()
        stage.calm()
        strand(stage, f"{point}")
        stage.witness.life += 1
        tried["kills" if killing.kill_start(stage.guard, stage.trace, point) else "kills once up"] += 1
        stage.witness.await_quiet()
    stage.next_life()
    # A slice has one point, and that may be met when the guard is just up.
    assert tried["kills"] or tried["kills once up"]
    concluded("kill -9, start after a kill", stage, tried, "start-")


def strand(stage: Stage, key: str) -> None:
    """Kill the guard while the outgoing server has a message and has not answered."""
    stage.witness.mute = True
    stage.submit(key, NOW)
    deadline = time.monotonic() + 20
    while not stage.witness.arrived(key):
        assert time.monotonic() < deadline, f"{key} did not leave:\n{stage.guard.log()}"
        time.sleep(0.01)
    stage.died()
    stage.witness.mute = False


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_kill_at_every_call_of_the_first_start(tmp_path: Path) -> None:
    require("strace")
    with playing(tmp_path) as stage:
        found = killing.count_start(stage.guard, stage.trace, "first-start")
        tried: Counter[str] = Counter({"points": len(found), "kills": 0})
        for point in spread(found, rounds(10_000, slice_of=1)):
            shutil.rmtree(stage.state)
            stage.mails.clear()
            stage.witness.copies.clear()
            tried["kills" if killing.kill_start(stage.guard, stage.trace, point) else "kills once up"] += 1
            stage.next_life()
            assert stage.submit(f"{point}", NOW)
            assert broken(stage.settle()) == [], point
            stage.died()
        tell("kill -9, first start", tried)
        assert tried["kills"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_at_any_moment_of_a_busy_guard(stage: Stage) -> None:
    """Four clients at once, without strace: what only happens at full speed."""
    dice = random.Random(11)
    tried: Counter[str] = Counter(kills=0)
    for life in range(rounds(60, slice_of=2)):
        clients = [
            threading.Thread(target=busy, args=(stage, f"busy-{life}-{who}", random.Random(f"{life} {who}")))
            for who in range(4)
        ]
        for client in clients:
            client.start()
        time.sleep(dice.uniform(0.05, 1.0))
        assert stage.guard.process
        stage.guard.process.kill()
        for client in clients:
            client.join()
        stage.died()
        tried["kills"] += 1
        stage.next_life()
    concluded("kill -9 at any moment, 4 clients", stage, tried, "busy-")


def busy(stage: Stage, name: str, dice: random.Random) -> None:
    """A client that sends, and changes its mind, until the guard is dead."""
    number = 0
    while stage.submit(key := f"{name}-{number}", *dice.choice(((B, C), (SOON, C), (NOW,), (SOON,)))):
        for _ in range(dice.randrange(4)):
            match dice.choice(("cancel", "drop", "restore", "release")):
                case "cancel":
                    stage.cancel(key)
                case "drop":
                    stage.cancel(key, stage.mails[key].recipients[0])
                case "restore":
                    stage.restore(key)
                case "release":
                    stage.ask("release", key)
        number += 1
