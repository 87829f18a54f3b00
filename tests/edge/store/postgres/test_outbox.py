"""The outbox on PostgreSQL: the contract, and two guards that tell the same target."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mailguard.edge.store.postgres import Lease, PostgresOutbox, PostgresStore, SharedDatabase
from tests.edge.store.contract_outbox import SOON, OutboxContract, Telling, dispatch


@pytest.fixture
def announcer() -> Telling:
    return Telling()


@pytest.fixture
async def store(database: SharedDatabase, announcer: Telling) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(database, lease=Lease(database, name="a"), announcer=announcer)
    yield store
    await store.close()


@pytest.fixture
def outbox(database: SharedDatabase) -> PostgresOutbox:
    return PostgresOutbox(database)


class TestOutbox(OutboxContract):
    """The contract of the outbox."""


async def test_no_two_guards_take_the_same(outbox: PostgresOutbox) -> None:
    await outbox.put([dispatch(f"n{number}") for number in range(60)])
    until = SOON + timedelta(hours=1)
    bunches = await asyncio.gather(*(outbox.take("one", SOON, until, 7) for _ in range(20)))
    taken = [pending.number for bunch in bunches for pending in bunch]
    taken += [pending.number for pending in await outbox.take("one", SOON, until, 100)]
    assert len(taken) == len(set(taken)) == 60
