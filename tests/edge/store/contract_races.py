"""What every store must do when much happens at the same time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from mailguard.core import moves
from mailguard.core.errors import StoreError
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.states import MessageState
from mailguard.ports import Page, Store
from tests.edge.store.samples import (
    CONTENT,
    LATER,
    cancelled,
    ids,
    new,
    numbered,
    put,
    settled,
)
from tests.making import NOW, message


class RaceContract:
    """ports.Store: many at the same time."""

    @pytest.mark.parametrize("seed", range(8))
    async def test_one_winner_among_cancels_and_claims(self, store: Store, seed: int) -> None:
        [held] = await put(store, message())

        async def cancel() -> bool:
            return await store.apply(cancelled(held, LATER))

        async def claim() -> bool:
            return bool(await store.claim(LATER, 1))

        racers: list[Callable[[], Awaitable[bool]]] = [*[cancel] * 25, *[claim] * 25]
        random.Random(seed).shuffle(racers)
        won = await asyncio.gather(*(racer() for racer in racers))
        assert sum(won) == 1
        winner = racers[won.index(True)]
        after = await store.find(held.id)
        assert after.state is (MessageState.CANCELLED if winner is cancel else MessageState.RELAYING)
        assert after.version == 1
        assert len(await store.events(held.id)) == 2

    async def test_nothing_is_claimed_twice(self, store: Store) -> None:
        held = await put(store, *numbered(120))
        bunches = await asyncio.gather(*(store.claim(LATER, 7) for _ in range(40)))
        claimed = [one.message.id for bunch in bunches for one in bunch]
        assert sorted(claimed) == sorted(ids(held))

    async def test_of_two_steps_of_one_message_the_second_is_too_late(self, store: Store) -> None:
        [held] = await put(store, message())
        first = cancelled(held)
        second = moves.restore(first.after, by="a", now=NOW)
        assert isinstance(second, Change)
        # The second builds on the first before anybody knows whether there will be a first.
        won = await asyncio.gather(store.apply(first), store.apply(second), store.apply(first))
        assert won[0]
        assert not won[2]
        after = await store.find(held.id)
        assert after == (second.after if won[1] else first.after)

    async def test_one_bad_message_does_not_sink_the_others(self, store: Store) -> None:
        held = numbered(20)
        twice = replace(held[3], subject="The same id again")
        jobs = [store.add(new(one)) for one in (*held, twice)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(result) for result in results if result is not None] == [StoreError]
        found = await store.page(Page(limit=100))
        assert sorted(ids(found)) == sorted(ids(held))

    @pytest.mark.parametrize("seed", range(4))
    async def test_a_cancelled_caller_leaves_nothing_open(self, store: Store, seed: int) -> None:
        rnd = random.Random(seed)
        held = numbered(60)
        tasks = [asyncio.create_task(store.add(new(one))) for one in held]
        for _ in range(30):
            await asyncio.sleep(0)
            rnd.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Whole or not at all, and the store goes on.
        found = {one.id: one for one in await store.page(Page(limit=100))}
        for one, task in zip(held, tasks, strict=True):
            assert one.id in found or task.cancelled()
            if one.id in found:
                assert found[one.id] == one
                assert await store.content(one.id) == CONTENT
                assert len(await store.events(one.id)) == 1
        await put(store, message(id="k7fm2xqp9d3t"))

    async def test_all_at_once_ends_as_it_should(self, store: Store) -> None:
        held = await put(store, *numbered(40))
        sent: list[str] = []

        async def relay() -> None:
            while bunch := await store.claim(LATER, 3):
                for claimed in bunch:
                    assert await store.apply(settled(claimed.message))
                    sent.append(claimed.message.id)

        stopped = []

        async def stop(one: HeldMessage) -> None:
            if await store.apply(cancelled(one)):
                stopped.append(one.id)

        await asyncio.gather(relay(), relay(), *(stop(one) for one in held[::2]))
        assert sorted(sent + stopped) == sorted(ids(held))
        census = await store.census(LATER)
        assert census.by_state.get(MessageState.SENT, 0) == len(sent)
        assert census.by_state.get(MessageState.CANCELLED, 0) == len(stopped)
