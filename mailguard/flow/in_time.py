"""Waits for a step for so long and no longer, and sets a timer only where the step has something to wait for.

Most of what is looked up about a message is at hand. A timer for each costs more than many of the looks.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

Known = TypeVar("Known")


async def in_time(end: float, step: Coroutine[Any, Any, Known]) -> Known | None:
    """What comes of this step; None where the loop's time `end` comes first, and the step is cancelled."""
    try:
        waits_for = step.send(None)
    except StopIteration as done:
        found: Known = done.value
        return found
    try:
        async with asyncio.timeout_at(end):
            return await _rest(step, waits_for)
    except TimeoutError:
        return None


async def ended(task: asyncio.Task[Known], within: float) -> bool:
    """Whether the task ends within so many seconds; where it does not, it goes on. What asyncio.wait does for
    many, at half the cost for one."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def end(_: object = None) -> None:
        if not over.done():
            over.set_result(None)

    task.add_done_callback(end)
    timer = loop.call_later(max(within, 0), end)
    try:
        await over
    finally:
        timer.cancel()
        task.remove_done_callback(end)
    return task.done()


@types.coroutine
def _rest(step: Coroutine[Any, Any, Known], waits_for: Any) -> Generator[Any, Any, Known]:
    """A step that was begun, from the first thing that it waits for."""
    while True:
        try:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001  a cancel, too, is for the step to hear of
                waits_for = step.throw(error)
            else:
                waits_for = step.send(sent)
        except StopIteration as done:
            found: Known = done.value
            return found
