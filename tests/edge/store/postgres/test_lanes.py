"""What waits at the same time is done together, in its order."""

import asyncio
from collections.abc import Sequence

import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.store.postgres.lanes import BATCH_BYTES, MOST_JOBS, Lane


class Recorder:
    """Makes of each number its double, when it is let."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.free = asyncio.Event()

    async def __call__(self, jobs: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(jobs)
        await self.free.wait()
        return [2 * job if job >= 0 else StoreError(str(job)) for job in jobs]


async def test_what_waits_is_one_batch() -> None:
    made = Recorder()
    lane = Lane(made, "here")
    waiting = [asyncio.create_task(lane.put(number, 1)) for number in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = [asyncio.create_task(lane.put(number, 1)) for number in range(5, 8)]
    made.free.set()
    assert await asyncio.gather(*waiting, *late) == [2 * number for number in range(8)]
    assert [number for batch in made.batches for number in batch] == list(range(8))
    assert len(made.batches) <= 2


async def test_no_batch_is_too_large() -> None:
    made = Recorder()
    made.free.set()
    lane = Lane(made, "here")
    await asyncio.gather(*(lane.put(number, BATCH_BYTES // 2) for number in range(5)))
    assert max(map(len, made.batches)) == 2
    await asyncio.gather(*(lane.put(number, 0) for number in range(MOST_JOBS + 1)))
    assert max(map(len, made.batches)) == MOST_JOBS
    assert await lane.put(1, 10 * BATCH_BYTES) == 2


async def test_one_bad_job_is_its_callers_alone() -> None:
    made = Recorder()
    made.free.set()
    lane = Lane(made, "here")
    results = await asyncio.gather(lane.put(1, 1), lane.put(-1, 1), lane.put(2, 1), return_exceptions=True)
    assert [results[0], results[2]] == [2, 4]
    assert isinstance(results[1], StoreError)


async def test_who_is_cancelled_is_done_all_the_same() -> None:
    made = Recorder()
    lane = Lane(made, "here")
    caller = asyncio.create_task(lane.put(1, 1))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    made.free.set()
    await lane.finish()
    assert made.batches == [[1]]


async def test_nobody_waits_for_ever_for_a_lane_that_was_stopped() -> None:
    async def stopped(jobs: Sequence[int]) -> Sequence[int]:
        raise asyncio.CancelledError

    lane = Lane(stopped, "here")
    waiting = [asyncio.create_task(lane.put(number, 1)) for number in range(3)]
    async with asyncio.timeout(5):
        for one in waiting:
            with pytest.raises(StoreError, match="stopped"):
                await one
