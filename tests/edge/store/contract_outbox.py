"""What every outbox must do, and every store with an announcer, whatever lies below.

A subclass gives the fixtures `outbox`, and `store`, which was made with `announcer`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.news import Dispatch, Topic
from mailguard.ports import Store
from mailguard.ports.outward import Outbox
from tests.edge.store.samples import cancelled, new
from tests.making import NOW, message

SOON = NOW + timedelta(minutes=1)


class Telling:
    """ports.Announcer: two targets are told of everything; counts what is on the disk."""

    def __init__(self) -> None:
        self.count = 0

    def news(self, message: HeldMessage, event: Event) -> Sequence[Dispatch]:
        return [
            dispatch(f"{message.id}-{message.version}", target=target, content=event.event)
            for target in ("one", "two")
        ]

    def written(self) -> None:
        self.count += 1


def dispatch(id: str, *, target: str = "one", content: str = "{}") -> Dispatch:
    """A piece of news."""
    return Dispatch(id=id, target=target, topic=Topic.FLAGGED, at=NOW, content=content)


async def waiting(outbox: Outbox, target: str = "one") -> list[str]:
    """What is due, without taking it for long."""
    return [one.dispatch.id for one in await outbox.take(target, SOON, SOON, 100)]


class OutboxContract:
    """ports.Outbox, and what ports.Store promises of it."""

    async def test_what_was_put_in_is_taken_once_and_put_off(self, outbox: Outbox) -> None:
        await outbox.put([dispatch("a"), dispatch("b"), dispatch("a", target="two")])
        taken = await outbox.take("one", NOW, SOON, 10)
        assert [(one.attempts, one.dispatch) for one in taken] == [(0, dispatch("a")), (0, dispatch("b"))]
        assert await outbox.take("one", NOW, SOON, 10) == []
        assert await outbox.next_due("one") == SOON
        assert await outbox.next_due("two") == NOW
        assert await outbox.next_due("three") is None
        again = await outbox.take("one", SOON, SOON + timedelta(minutes=1), 10)
        assert [(one.attempts, one.dispatch.id) for one in again] == [(1, "a"), (1, "b")]

    async def test_no_more_than_asked_for_oldest_first(self, outbox: Outbox) -> None:
        await outbox.put([dispatch(f"{number}") for number in range(5)])
        taken = await outbox.take("one", NOW, SOON, 2)
        assert [one.dispatch.id for one in taken] == ["0", "1"]

    async def test_one_id_is_one_piece_of_news(self, outbox: Outbox) -> None:
        await outbox.put([dispatch("a")])
        await outbox.put([dispatch("a", content="other"), dispatch("b")])
        assert await waiting(outbox) == ["a", "b"]

    async def test_what_was_told_is_gone(self, outbox: Outbox) -> None:
        await outbox.put([dispatch("a"), dispatch("b")])
        first, _ = await outbox.take("one", NOW, SOON, 10)
        await outbox.done(first.number)
        assert await waiting(outbox) == ["b"]
        assert (await outbox.backlog("one")).waiting == 1

    async def test_what_failed_comes_again_or_is_given_up(self, outbox: Outbox) -> None:
        await outbox.put([dispatch("a"), dispatch("b")])
        first, second = await outbox.take("one", NOW, SOON, 10)
        await outbox.failed(first.number, "answered 500", NOW + timedelta(seconds=5))
        await outbox.failed(second.number, "answered 410", None)
        backlog = await outbox.backlog("one")
        assert (backlog.waiting, backlog.given_up, backlog.fault) == (1, 1, "answered 410")
        assert await outbox.next_due("one") == NOW + timedelta(seconds=5)
        assert await waiting(outbox) == ["a"]
        assert await outbox.forget(NOW) == 0
        assert await outbox.forget(SOON) == 1
        assert (await outbox.backlog("one")).given_up == 0

    async def test_a_start_drops_what_is_for_nobody_and_goes_on_with_the_rest(self, outbox: Outbox) -> None:
        await outbox.put([dispatch("a"), dispatch("b"), dispatch("a", target="two")])
        _, second = await outbox.take("one", NOW, SOON, 10)
        await outbox.failed(second.number, "x", None)
        assert await outbox.begin(["one"], NOW) == 1
        assert [one.dispatch.id for one in await outbox.take("one", NOW, SOON, 10)] == ["a"]
        assert (await outbox.backlog("one")).given_up == 1
        assert await outbox.next_due("two") is None

    async def test_odd_content_comes_back_as_it_was(self, outbox: Outbox) -> None:
        odd = '{"text": "\\udce9 \\u0000 \'; DROP TABLE outbox; --"}'
        await outbox.put([dispatch("a", content=odd)])
        [one] = await outbox.take("one", NOW, SOON, 1)
        assert one.dispatch.content == odd

    async def test_a_message_brings_its_news_in_its_own_transaction(
        self, store: Store, outbox: Outbox, announcer: Telling
    ) -> None:
        held = message()
        await store.add(new(held))
        stored = await store.find(held.id)
        assert announcer.count == 1
        assert await store.apply(cancelled(stored))
        for target in ("one", "two"):
            taken = await outbox.take(target, SOON, SOON, 10)
            assert [(one.dispatch.id, one.dispatch.content) for one in taken] == [
                (f"{held.id}-0", "received"),
                (f"{held.id}-1", "cancel"),
            ]
        assert announcer.count == 2

    async def test_a_step_that_is_not_made_brings_none(
        self, store: Store, outbox: Outbox, announcer: Telling
    ) -> None:
        held = message()
        await store.add(new(held))
        stored = await store.find(held.id)
        won = await asyncio.gather(*(store.apply(cancelled(stored)) for _ in range(5)))
        assert sorted(won) == [False] * 4 + [True]
        late = replace(cancelled(stored), before=replace(stored, version=7))
        assert not await store.apply(late)
        assert await waiting(outbox) == [f"{held.id}-0", f"{held.id}-1"]
