"""A step that is waited for, but not for ever."""

import asyncio

import pytest

from mailguard.flow.in_time import ended, in_time


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_what_is_at_hand_is_there_though_the_time_is_over() -> None:
    async def at_hand() -> int:
        return 1

    assert await in_time(soon(-1), at_hand()) == 1


async def test_what_comes_in_time_is_waited_for() -> None:
    async def later() -> list[int]:
        found = []
        for number in range(3):
            await asyncio.sleep(0.001)
            found.append(number)
        return found

    assert await in_time(soon(5), later()) == [0, 1, 2]


async def test_what_is_late_is_cancelled_and_cleans_up() -> None:
    ended = []

    async def never() -> bool:
        try:
            return await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    assert await in_time(soon(0.01), never()) is None
    assert ended == [True]


async def test_a_step_may_have_a_limit_of_its_own() -> None:
    async def limited() -> str:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "its own"
        return ""

    assert await in_time(soon(5), limited()) == "its own"


@pytest.mark.parametrize("waits", [False, True])
async def test_a_fault_is_the_callers(waits: bool) -> None:
    async def fails() -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_time(soon(5), fails())


async def test_a_caller_that_is_cancelled_takes_the_step_with_it() -> None:
    ended = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.create_task(in_time(soon(5), never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


@pytest.mark.parametrize("within", [-1, 0, 0.001])
async def test_a_task_that_is_late_goes_on(within: float) -> None:
    go_on = asyncio.Event()
    task = asyncio.create_task(go_on.wait())
    assert not await ended(task, within)
    go_on.set()
    assert await ended(task, 5)
    assert task.result()


async def test_a_task_that_fails_has_ended() -> None:
    async def fails() -> None:
        raise ValueError("no")

    task = asyncio.create_task(fails())
    assert await ended(task, 5)
    with pytest.raises(ValueError, match="no"):
        task.result()


async def test_a_task_is_not_cancelled_with_who_waits_for_it() -> None:
    go_on = asyncio.Event()
    task = asyncio.create_task(go_on.wait())
    waiting = asyncio.create_task(ended(task, 5))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    assert await task
