"""Turns on PostgreSQL keep the contract, also where several guards take what is due."""

import asyncio

from mailguard.edge.store.postgres import PostgresStore
from tests.edge.store.contract_turns import TurnsContract, of
from tests.edge.store.postgres.leases import guards
from tests.edge.store.samples import LATER, RecordingLog, claimed_ids, ids, put


class TestTurns(TurnsContract):
    """The contract."""


async def test_one_guard_passes_over_what_another_one_has_taken(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 2) as (one, two):
        many, few = of("a@corp.example", 60), of("b@corp.example", 8)
        await put(one, *many, *few)
        # Both have made an order of the same messages.
        first, second = claimed_ids(await one.claim(LATER, 4)), claimed_ids(await two.claim(LATER, 4))
        assert set(first) == {*ids(many[:2]), *ids(few[:2])}
        assert set(second) == {*ids(many[2:4]), *ids(few[2:4])}
        # What the second one has taken is still in the order of the first.
        assert set(claimed_ids(await one.claim(LATER, 4))) == {*ids(many[4:6]), *ids(few[4:6])}


async def test_of_what_many_guards_take_at_once_everybody_has_a_part(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 3) as stores:
        many, few = of("a@corp.example", 200), of("b@corp.example", 20)
        await put(stores[0], *many, *few)
        claimed: list[str] = []

        async def take(store: PostgresStore) -> None:
            while some := claimed_ids(await store.claim(LATER, 5)):
                claimed.extend(some)

        await asyncio.gather(*(take(store) for store in stores))
        assert sorted(claimed) == sorted(ids([*many, *few]))
        # Each guard goes by an order that is a moment old, so a few may be behind their turn.
        assert set(ids(few)) <= set(claimed[:100])
