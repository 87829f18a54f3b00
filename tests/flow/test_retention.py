"""What is finished is forgotten in time, and nothing else is."""

from datetime import timedelta

import pytest

from mailguard.core.errors import NoSuchMessage
from mailguard.core.told import Told
from tests.flow.parts import ANNE, Parts


async def test_a_cancelled_message_keeps_its_bytes_for_as_long_as_it_can_be_restored(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    await parts.clock.advance(timedelta(days=6))
    await parts.retention.sweep()
    assert await parts.store.content(message) is not None
    await parts.clock.advance(timedelta(days=2))
    await parts.retention.sweep()
    assert await parts.store.content(message) is None
    assert (await parts.decide.restore(message, ANNE)).told is Told.TOO_LATE


async def test_the_metadata_goes_after_its_time(parts: Parts) -> None:
    message = await parts.id_of("boss@corp.example")
    await parts.tick()
    await parts.clock.advance(timedelta(days=89))
    await parts.retention.sweep()
    await parts.store.find(message)
    await parts.clock.advance(timedelta(days=2))
    assert await parts.retention.sweep() == 1
    with pytest.raises(NoSuchMessage):
        await parts.store.find(message)


async def test_what_is_not_finished_is_never_forgotten(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.clock.advance(timedelta(days=1000))
    await parts.retention.sweep()
    assert await parts.store.content(message) is not None
