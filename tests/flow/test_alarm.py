"""The alarm: sleeps until the next due time, wakes for an earlier one, and never sleeps for long."""

import asyncio
from datetime import timedelta

from mailguard.flow.alarm import LONGEST_SLEEP, Alarm
from tests.clocks import FakeClock
from tests.making import NOW


async def started(alarm: Alarm, due: timedelta | None) -> asyncio.Task[None]:
    """A wait under way."""
    waiting = asyncio.create_task(alarm.wait(None if due is None else NOW + due))
    await asyncio.sleep(0.01)
    return waiting


async def test_it_sleeps_until_the_due_time() -> None:
    clock = FakeClock()
    waiting = await started(Alarm(clock=clock), timedelta(seconds=2))
    await clock.advance(timedelta(seconds=1))
    assert not waiting.done()
    await clock.advance(timedelta(seconds=1))
    await asyncio.wait_for(waiting, 1)


async def test_an_earlier_time_wakes_it_and_a_later_one_does_not() -> None:
    alarm = Alarm(clock=FakeClock())
    waiting = await started(alarm, timedelta(seconds=2))
    alarm.sound(NOW + timedelta(seconds=3))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    alarm.sound(NOW + timedelta(seconds=1))
    await asyncio.wait_for(waiting, 1)


async def test_a_sound_between_two_waits_is_not_lost() -> None:
    alarm = Alarm(clock=FakeClock())
    alarm.sound(NOW)
    await asyncio.wait_for(alarm.wait(None), 1)


async def test_it_looks_at_the_wall_clock_again_before_long() -> None:
    clock = FakeClock()
    waiting = await started(Alarm(clock=clock), None)
    await clock.advance(LONGEST_SLEEP)
    await asyncio.wait_for(waiting, 1)


async def test_what_is_overdue_is_not_slept_for() -> None:
    await asyncio.wait_for(Alarm(clock=FakeClock()).wait(NOW - timedelta(hours=1)), 1)
