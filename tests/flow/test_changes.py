"""Who watches is told that something of theirs changed, soon and seldom."""

import asyncio
from contextlib import ExitStack

from mailguard.core.hold import HeldMessage
from mailguard.flow import changes
from mailguard.flow.changes import Changes
from tests.making import message

SOON = 2.0
NOT_YET = 0.02


async def test_only_whom_it_concerns_is_told_and_once_for_many() -> None:
    told = Changes()
    with (
        told.watched(lambda one: one.user == "a") as hers,
        told.watched(lambda one: one.user == "b") as his,
    ):
        told.happened(message())
        told.happened(message(id="another"))
        assert not await hers.wait(NOT_YET)
        assert await hers.wait(SOON)
        assert not await hers.wait(NOT_YET)
        assert not await his.wait(NOT_YET)


async def test_what_happened_while_nobody_waited_is_told_at_once() -> None:
    told = Changes()
    with told.watched(lambda one: True) as watcher:
        told.happened(message())
        await asyncio.sleep(changes.GATHER * 2)
        assert await watcher.wait(NOT_YET)


async def test_a_flood_is_told_to_all_without_looking_at_each() -> None:
    told, looked = Changes(), []

    def looks(one: object) -> bool:
        looked.append(one)
        return False

    with told.watched(looks) as watcher:
        for number in range(changes.MOST + 100):
            told.happened(message(id=str(number)))
        assert await watcher.wait(SOON)
    assert looked == []


async def test_nothing_is_kept_where_nobody_watches() -> None:
    told = Changes()
    told.happened(message())
    with told.watched(lambda one: True) as watcher:
        assert not await watcher.wait(changes.GATHER * 2)


async def test_many_who_watch_do_not_hold_up_the_loop() -> None:
    told, turns = Changes(), [0]

    def looks(one: HeldMessage) -> bool:
        turns.append(turns[-1])
        return True

    with ExitStack() as watching:
        watchers = [watching.enter_context(told.watched(looks)) for _ in range(50)]
        told.happened(message())
        while not all(watcher.told for watcher in watchers):
            await asyncio.sleep(0)
            turns[-1] += 1
    # Between two of them everybody else has had a turn.
    assert len(turns) == 51
    assert len(set(turns[1:])) == 50
