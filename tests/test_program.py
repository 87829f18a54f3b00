"""The end of the program: what goes on beside the road is ended, whatever becomes of a cancel."""

import asyncio

from mailguard.app.program import _ended


async def test_a_cancel_that_is_lost_is_repeated() -> None:
    """asyncio.wait_for loses one that comes with the result (Python before 3.12)."""
    lost: list[bool] = []

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append(True)

    async def broken() -> None:
        raise KeyError("it ended by itself")

    tasks: list[asyncio.Future[None]] = [asyncio.ensure_future(deaf()), asyncio.ensure_future(broken())]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await _ended(tasks)
    assert lost
    assert all(task.done() for task in tasks)
