"""What every store must do with a message that is handed in a second time, whatever lies below.

A subclass gives the fixture `marks` too: it counts what is kept of marks.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mailguard.core.errors import NoSuchMessage
from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.states import MessageState
from mailguard.ports import First, Mark, Store
from tests.edge.store.samples import LATER, cancelled, new, numbered, settled
from tests.making import NOW, in_state, message

WINDOW = timedelta(minutes=10)
Marks = Callable[[], Awaitable[int]]


def mark(number: int, at: datetime = NOW) -> Mark:
    """That of the message with this number."""
    again = Event(at=at, event="resubmitted", by="a", detail={"peer": "127.0.0.1"})
    return Mark(digest=number.to_bytes(16), since=at - WINDOW, reply=f"Held as number {number}", again=again)


async def add(store: Store, held: HeldMessage, number: int) -> First | None:
    return await store.add(new(held), mark(number, held.received_at))


@pytest.mark.parametrize("state", [MessageState.FAILED, MessageState.REJECTED, MessageState.EXPIRED])
async def test_what_was_returned_is_nobodys_first(store: Store, state: MessageState) -> None:
    await add(store, in_state(state), 1)
    assert await add(store, message(id="a7fm2xqp9d3t"), 1) is None
    third = await add(store, message(id="b7fm2xqp9d3t"), 1)
    assert third is not None
    assert third.id == "a7fm2xqp9d3t"


class ResubmissionContract:
    """ports.Store.add with a mark."""

    async def test_a_second_one_brings_no_second_notice(self, store: Store, marks: Marks) -> None:
        for number in range(2):
            held = message(id=f"k{number}fm2xqp9d3t")
            notice = new(message(id=f"b{number}fm2xqp9d3t", sender=""))
            first = await store.add(replace(new(held), also=(notice,)), mark(1))
            assert (first is None) == (number == 0)
        assert await marks() == 1
        assert first is not None
        assert first.id == "k0fm2xqp9d3t"
        with pytest.raises(NoSuchMessage):
            await store.find("b1fm2xqp9d3t")

    async def test_the_first_of_a_batch_is_the_first_of_the_others(self, store: Store) -> None:
        held = numbered(30)
        told = await asyncio.gather(*(add(store, one, number // 3) for number, one in enumerate(held)))
        for number, (one, first) in enumerate(zip(held, told, strict=True)):
            reply = f"Held as number {number // 3}"
            expected = First(id=held[number // 3 * 3].id, state=MessageState.HELD, reply=reply)
            assert first == (None if number % 3 == 0 else expected), one
        for one in held[::3]:
            events = await store.events(one.id)
            assert [event.event for event in events] == ["received", "resubmitted", "resubmitted"]
            assert (await store.find(one.id)).version == 2

    async def test_one_bad_message_does_not_make_another_the_first(self, store: Store) -> None:
        held = numbered(3)
        jobs = [add(store, held[0], 0), add(store, held[0], 1), add(store, held[2], 1)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        # The second has an id that is there already; the third is not its second try.
        assert results[0] is None
        assert isinstance(results[1], Exception)
        assert results[2] is None

    async def test_the_state_is_what_is_true_by_then(self, store: Store) -> None:
        held = numbered(2)
        for number, one in enumerate(held):
            await add(store, one, number)
        assert await store.apply(cancelled(await store.find(held[0].id)))
        first = await add(store, numbered(3)[0], 0)
        assert first is not None
        assert first.state is MessageState.CANCELLED
        [claimed] = await store.claim(LATER, 1)
        assert await store.apply(settled(claimed.message))
        second = await add(store, numbered(3)[1], 1)
        assert second is not None
        assert (second.id, second.state) == (held[1].id, MessageState.SENT)

    async def test_the_table_holds_ten_minutes(self, store: Store, marks: Marks) -> None:
        for number, one in enumerate(numbered(40)):
            at = NOW + timedelta(minutes=number)
            await store.add(new(message(id=one.id, received_at=at)), mark(number, at))
        assert await marks() == 11

    async def test_what_is_forgotten_is_nobodys_first(self, store: Store, marks: Marks) -> None:
        await add(store, in_state(MessageState.SENT), 1)
        after = NOW + timedelta(seconds=1)
        while await store.forget(after, after, 10):
            pass
        assert await marks() == 0
        assert await add(store, message(), 1) is None

    async def test_no_step_is_taken_for_a_first(self, store: Store) -> None:
        held = message()
        await add(store, held, 1)
        assert await store.apply(cancelled(held)) is True
        assert await store.apply(cancelled(held)) is False
