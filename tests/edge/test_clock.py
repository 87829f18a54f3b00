"""The guard's time goes by what really goes by, whatever somebody does to the wall clock."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from mailguard.edge import clock as clocks
from mailguard.edge.clock import DRIFT, Steps, SystemClock
from tests.making import NOW
from tests.upstreams import Lines

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Machine:
    """Both clocks of a machine; `step` sets the wall clock, and time goes by with `pass_by`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = NOW.timestamp()
        self.gone = 77.0
        monkeypatch.setattr(clocks, "wall", lambda: self.wall)
        monkeypatch.setattr(clocks, "elapsed", lambda: self.gone)

    def pass_by(self, by: timedelta) -> None:
        self.wall += by.total_seconds()
        self.gone += by.total_seconds()

    def step(self, by: timedelta) -> None:
        self.wall += by.total_seconds()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


async def test_it_tells_utc_and_goes_forward() -> None:
    clock = SystemClock()
    before, tick = clock.now(), clock.monotonic()
    await clock.sleep(0.01)
    assert before.utcoffset() == timedelta(0)
    assert clock.now() > before
    assert clock.monotonic() > tick
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=0.1)
    assert clocks.elapsed() > 0


def test_without_steps_it_is_the_wall_clock(machine: Machine) -> None:
    clock = SystemClock()
    for _ in range(100):
        machine.pass_by(timedelta(minutes=17, microseconds=1))
        assert abs(clock.now().timestamp() - machine.wall) < 0.001
    assert abs(clock.behind()) < timedelta(milliseconds=1)


@pytest.mark.parametrize("step", [HOUR, -HOUR, 30 * 24 * HOUR, timedelta(seconds=-5)])
def test_a_step_moves_no_release_time(machine: Machine, step: timedelta) -> None:
    clock = SystemClock()
    release_at = clock.now() + 5 * MINUTE
    machine.pass_by(timedelta(seconds=10))
    machine.step(step)
    machine.pass_by(5 * MINUTE - timedelta(seconds=11))
    assert clock.now() < release_at
    # A thousandth of five minutes is all that it may be early or late.
    machine.pass_by(timedelta(seconds=1.5))
    assert clock.now() >= release_at


def test_a_step_is_made_up_for_slowly(machine: Machine) -> None:
    clock = SystemClock()
    machine.step(timedelta(seconds=2))
    before = clock.now()
    machine.pass_by(timedelta(seconds=1000))
    assert clock.now() - before == timedelta(seconds=1000 * (1 + DRIFT))
    machine.pass_by(timedelta(seconds=1500))
    assert abs(clock.behind()) < timedelta(milliseconds=1)
    machine.step(timedelta(seconds=-2))
    last = clock.now()
    for _ in range(2500):
        machine.pass_by(timedelta(seconds=1))
        assert clock.now() > last
        last = clock.now()
    assert abs(clock.behind()) < timedelta(milliseconds=1)


def test_sleep_of_the_machine_is_time_that_goes_by() -> None:
    """CLOCK_BOOTTIME goes on while the machine sleeps; CLOCK_MONOTONIC does not."""
    assert abs(clocks.elapsed() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1


async def test_a_step_is_told_and_taken_over_where_nothing_waits(machine: Machine) -> None:
    log, clock = Lines(), SystemClock()
    steps = Steps(clock, log)
    await steps.look(clock.now())
    assert steps.told() is None
    machine.step(HOUR)
    for _ in range(3):
        # Something is due before the hour is over.
        await steps.look(clock.now() + 59 * MINUTE)
    assert log.names == ["clock_stepped"]
    told = steps.told()
    assert told is not None
    assert "+3600 s" in told
    assert "restart" in told
    await steps.look(clock.now() + 61 * MINUTE)
    assert log.names == ["clock_stepped", "clock_adopted"]
    assert steps.told() is None
    assert clock.now().timestamp() == machine.wall
    assert clock.adoptions == 1
    machine.step(-HOUR)
    await steps.look(None)
    assert clock.adoptions == 2
    assert clock.now().timestamp() == machine.wall
    assert log.names == ["clock_stepped", "clock_adopted"] * 2


async def test_summer_time_is_no_step(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Paris clocks went back from 3:00 to 2:00 at 1:00 UTC: UTC, and so the guard, knows nothing of it."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    machine.wall = datetime(2026, 10, 25, 0, 58, tzinfo=UTC).timestamp()
    log, clock = Lines(), SystemClock()
    steps = Steps(clock, log)
    assert clock.now().astimezone().utcoffset() == 2 * HOUR
    release_at = clock.now() + 5 * MINUTE
    machine.pass_by(5 * MINUTE)
    assert clock.now() == release_at
    assert clock.now().astimezone().utcoffset() == HOUR
    await steps.look(release_at)
    assert log.names == []
    monkeypatch.undo()
    time.tzset()


async def test_it_is_steady_where_nobody_reckons(machine: Machine) -> None:
    clock = SystemClock()
    tick = clock.monotonic()
    assert clock.steady_since(tick)
    with clock.steady(), clock.steady():
        assert not clock.steady_since(tick)
    assert not clock.steady_since(tick)
    with pytest.raises(ValueError, match="no time"), clock.steady():
        raise ValueError("no time")
    await clock.sleep(0.01)
    assert clock.steady_since(clock.monotonic())


def test_where_guards_share_a_queue_they_go_by_one_clock() -> None:
    one, two = SystemClock(), SystemClock()
    hour = 3600.0
    for guard in (one, two):
        guard.follow(lambda: time.time() + hour)
    now = datetime.now(UTC)
    assert abs((one.now() - now).total_seconds() - hour) < 5
    assert abs((one.now() - two.now()).total_seconds()) < 1
    assert abs(one.behind().total_seconds()) < 1
