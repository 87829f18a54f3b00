"""Steps of several guards at once: one winner, nothing twice, and no guard waits for another for ever."""

import asyncio
import random
from dataclasses import replace

import pytest

from mailguard.core.errors import StoreError
from mailguard.core.states import MessageState
from mailguard.edge.store import taking
from mailguard.edge.store.postgres import PostgresStore, SharedDatabase
from tests.edge.store.postgres.leases import guards
from tests.edge.store.samples import CONTENT, LATER, RecordingLog, cancelled, ids, new, numbered, put, settled
from tests.making import message


async def test_nothing_is_claimed_by_two(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 3) as stores:
        held = await put(stores[0], *numbered(150))
        bunches = await asyncio.gather(*(stores[n % 3].claim(LATER, 7) for n in range(60)))
        claimed = [one.message.id for bunch in bunches for one in bunch]
        for store in stores:
            while some := await store.claim(LATER, 50):
                claimed += [one.message.id for one in some]
        assert sorted(claimed) == sorted(ids(held))


async def test_one_winner_among_guards_that_cancel_and_claim(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 3) as stores:
        held = await put(stores[0], *numbered(60))
        dice = random.Random(5)

        async def cancel(number: int) -> list[str]:
            await asyncio.sleep(dice.uniform(0, 0.2))
            one = held[number]
            return [one.id] if await stores[number % 3].apply(cancelled(one, LATER)) else []

        async def claim(store: PostgresStore) -> list[str]:
            await asyncio.sleep(dice.uniform(0, 0.2))
            return [one.message.id for one in await store.claim(LATER, 3)]

        jobs = [*(cancel(n) for n in range(60)), *(claim(stores[n % 3]) for n in range(30))]
        won = [one for some in await asyncio.gather(*jobs) for one in some]
        assert len(won) == len(set(won))
        by_state = (await stores[1].census(LATER)).by_state
        assert by_state[MessageState.CANCELLED] + by_state.get(MessageState.RELAYING, 0) == len(won)


async def test_guards_that_change_the_same_messages_do_not_wait_for_one_another(
    url: str, log: RecordingLog
) -> None:
    """Each hands in the same steps in an order of its own: locks in that order would be a deadlock."""
    async with guards(url, log, 2) as stores:
        held = await put(stores[0], *numbered(200))
        for _ in range(3):
            orders = [random.Random(n).sample(held, len(held)) for n in range(2)]
            jobs = [
                store.apply(cancelled(one, LATER))
                for store, order in zip(stores, orders, strict=True)
                for one in order
            ]
            async with asyncio.timeout(20):
                await asyncio.gather(*jobs)
        assert (await stores[0].census(LATER)).by_state == {MessageState.CANCELLED: 200}


async def test_a_settlement_after_a_take_over_fails(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 2) as (one, two):
        await put(one, message())
        [claimed] = await one.claim(LATER, 1)
        await one._lease.end()
        [left] = await two.stranded()
        recovered = replace(left, version=left.version + 1)
        assert await two.apply(replace(settled(left), after=recovered))
        assert not await one.apply(settled(claimed.message))


async def test_a_large_message_and_its_bytes(store: PostgresStore) -> None:
    content = random.Random(1).randbytes(5_000_000)
    await store.add(new(message(), content))
    assert await store.content(message().id) == content
    [claimed] = await store.claim(LATER, 1)
    assert claimed.content == content


async def test_a_claim_takes_no_more_than_the_memory_bears(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "CLAIM_BYTES", 2 * len(CONTENT))
    await put(store, *numbered(5))
    assert len(await store.claim(LATER, 5)) == 2
    assert len(await store.claim(LATER, 5)) == 2


async def test_what_cannot_be_claimed_is_not_in_the_way(
    store: PostgresStore, database: SharedDatabase, log: RecordingLog
) -> None:
    held = await put(store, *numbered(5))
    await database.read(
        lambda c: c.execute("UPDATE message SET document = 'x' WHERE id = ANY (%s)", (ids(held[:2]),))
    )
    await database.read(
        lambda c: c.execute(
            "DELETE FROM body WHERE message = (SELECT n FROM message WHERE id = %s)", (held[2].id,)
        )
    )
    assert {one.message.id for one in await store.claim(LATER, 2)} == set(ids(held[3:]))
    assert log.told("body_missing")


async def test_one_bad_message_is_its_senders_alone(store: PostgresStore) -> None:
    held = numbered(10)
    results = await asyncio.gather(
        *(store.add(new(one)) for one in (*held, replace(held[3], subject="again"))), return_exceptions=True
    )
    assert [type(one) for one in results if one is not None] == [StoreError]
    assert await store.content(held[9].id) == CONTENT
