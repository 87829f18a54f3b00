"""What every store must do with one message, whatever lies below.

A subclass gives the fixture `store` and collects the tests by inheriting them; so do the subclasses of the
other contracts beside this one (`memory` for the memory's). The fixture `gone` is what makes the guard that
has something in hand one that is not heard of any more.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core import delivery, moves, reminder
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.errors import AmbiguousId, NoSuchMessage, StoreError
from mailguard.core.events import Event
from mailguard.core.hold import Change
from mailguard.core.reminder import Reminder
from mailguard.core.states import MessageState
from mailguard.ports import Store
from tests.edge.store.samples import CONTENT, DUE, LATER, cancelled, ids, new, numbered, put, settled
from tests.making import DELAY, NOW, gated, in_state, message, recipient

Gone = Callable[[], Awaitable[None]]


class StoreContract:
    """ports.Store."""

    @pytest.mark.parametrize("state", MessageState)
    async def test_every_state_comes_back_as_it_was_put_in(self, store: Store, state: MessageState) -> None:
        [held] = await put(store, in_state(state))
        assert await store.find(held.id) == held
        assert await store.content(held.id) == CONTENT
        [event] = await store.events(held.id)
        assert event == new(held).event

    async def test_an_unambiguous_prefix_is_enough(self, store: Store) -> None:
        [one, _] = await put(store, message(id="k7fm2xqp9d3t"), message(id="k7gm2xqp9d3t"))
        assert await store.find("k7f") == one
        with pytest.raises(AmbiguousId):
            await store.find("k7")
        for wrong in ("k8", "", "~", "K7F", "k7fm2xqp9d3t0", "é", "%", "\udce9", "\x00"):
            with pytest.raises(NoSuchMessage):
                await store.find(wrong)

    async def test_a_whole_id_is_never_ambiguous(self, store: Store) -> None:
        [short, _] = await put(store, message(id="k7f"), message(id="k7fm2xqp9d3t"))
        assert await store.find("k7f") == short

    async def test_a_new_message_never_takes_the_place_of_another(self, store: Store) -> None:
        [held] = await put(store, message())
        with pytest.raises(StoreError):
            await store.add(new(message(subject="Another"), b"other"))
        assert await store.find(held.id) == held
        assert await store.content(held.id) == CONTENT

    async def test_unknown_ids_have_no_content_and_no_history(self, store: Store) -> None:
        assert await store.content("k7fm2xqp9d3t") is None
        assert await store.events("k7fm2xqp9d3t") == []

    async def test_bytes_are_kept_as_they_are(self, store: Store) -> None:
        content = bytes(range(256)) * 40 + b"\r\n.\r\n"
        await store.add(new(message(), content))
        assert await store.content(message().id) == content

    async def test_many_bytes_are_kept_as_they_are(self, store: Store) -> None:
        content = random.Random(7).randbytes(1_700_000)
        notice = new(message(id="b7fm2xqp9d3t", sender=""), content[::-1])
        await store.add(replace(new(message(), content), also=(notice,)))
        assert await store.content(message().id) == content
        claimed = {one.message.id: one for one in await store.claim(LATER, 10)}
        assert claimed[message().id].content == content
        assert claimed[notice.message.id].content == content[::-1]
        for one in claimed.values():
            assert await store.apply(settled(one.message))
            assert await store.content(one.message.id) is None

    async def test_many_bytes_never_take_the_place_of_others(self, store: Store) -> None:
        contents = [random.Random(number).randbytes(1_100_000) for number in range(2)]
        await store.add(new(message(), contents[0]))
        with pytest.raises(StoreError):
            await store.add(new(message(), contents[1]))
        assert await store.content(message().id) == contents[0]

    async def test_what_comes_also_is_put_in_with_it(self, store: Store) -> None:
        notice = new(message(id="b7fm2xqp9d3t", sender=""), b"It is held.\r\n")
        await store.add(replace(new(message()), also=(notice,)))
        assert await store.find(notice.message.id) == notice.message
        assert await store.content(notice.message.id) == notice.content
        assert await store.events(notice.message.id) == [notice.event]

    async def test_what_comes_also_is_not_put_in_without_it(self, store: Store) -> None:
        [held] = await put(store, message())
        notice = new(message(id="b7fm2xqp9d3t", sender=""))
        with pytest.raises(StoreError):
            await store.add(replace(new(held), also=(notice,)))
        with pytest.raises(NoSuchMessage):
            await store.find(notice.message.id)

    async def test_who_is_to_be_asked_again_is_found_in_time(self, store: Store) -> None:
        early, late = NOW + timedelta(hours=4), NOW + timedelta(hours=5)
        waiting = replace(in_state(MessageState.APPROVAL), deputies=("d@corp.example",))
        second = replace(waiting, id="a7fm2xqp9d3t", remind_at=late)
        first = replace(in_state(MessageState.CONFIRM), id="b7fm2xqp9d3t", remind_at=early)
        never = replace(waiting, id="c7fm2xqp9d3t")
        second, first, never = await put(store, second, first, never)
        assert await store.to_remind(early - timedelta(seconds=1), 10) == []
        assert await store.to_remind(late, 10) == [first, second]
        assert await store.to_remind(late, 1) == [first]
        made = reminder.remind(second, by="mailguard", now=late)
        assert isinstance(made, Reminder) and await store.apply(made.change)
        assert await store.find(second.id) == made.change.after
        assert await store.to_remind(late, 10) == [first]

    async def test_a_step_is_made_whole(self, store: Store) -> None:
        [held] = await put(store, message())
        change = cancelled(held)
        assert await store.apply(change)
        assert await store.find(held.id) == change.after
        assert (await store.events(held.id))[1:] == [change.event]

    async def test_a_step_from_an_old_version_changes_nothing(self, store: Store) -> None:
        [held] = await put(store, message())
        assert await store.apply(cancelled(held))
        before = await store.find(held.id)
        late = moves.release(held, by="a", now=NOW)
        assert isinstance(late, Change)
        bounce = new(message(id="b7fm2xqp9d3t"))
        assert not await store.apply(replace(late, adds=(bounce,)))
        assert await store.find(held.id) == before
        assert len(await store.events(held.id)) == 2
        with pytest.raises(NoSuchMessage):
            await store.find(bounce.message.id)

    async def test_a_step_of_an_unknown_message_is_no_step(self, store: Store) -> None:
        assert not await store.apply(cancelled(message()))

    async def test_a_step_may_drop_the_bytes_and_add_messages(self, store: Store) -> None:
        [held] = await put(store, message())
        [claimed] = await store.claim(LATER, 10)
        bounce = new(message(id="b7fm2xqp9d3t", sender=""), b"It could not be delivered.\r\n")
        change = replace(settled(claimed.message), adds=(bounce,))
        assert change.drop_body
        assert await store.apply(change)
        assert await store.content(held.id) is None
        assert await store.find(held.id) == change.after
        assert await store.find(bounce.message.id) == bounce.message
        assert await store.content(bounce.message.id) == bounce.content
        assert await store.events(bounce.message.id) == [bounce.event]

    async def test_a_step_may_change_every_part(self, store: Store) -> None:
        [held] = await put(store, message(recipient("b@client.example"), recipient("c@client.example")))
        for to in (
            (recipient("c@client.example", attempts=3),),
            (recipient("b@client.example"), recipient("d@client.example"), gated("e@client.example")),
        ):
            after = replace(
                held, version=held.version + 1, subject=f"To {len(to)}", undo=DELAY, size=7, recipients=to
            )
            event = Event(at=NOW, event="extend", by="a")
            assert await store.apply(Change(before=held, after=after, event=event))
            held = await store.find(held.id)
            assert held == after

    async def test_a_claim_takes_what_is_due_the_most_overdue_first(self, store: Store) -> None:
        held = await put(store, *numbered(6))
        random.Random(1).shuffle(held)
        claimed = await store.claim(DUE + timedelta(milliseconds=3), 3)
        due = sorted(held, key=lambda one: one.due_at or LATER)
        assert ids([one.message for one in claimed]) == ids(due[:3])
        for one in claimed:
            assert one.content == CONTENT
            assert one.message.state is MessageState.RELAYING
            assert await store.find(one.message.id) == one.message
            assert [event.event for event in await store.events(one.message.id)] == ["received", "claim"]
        assert ids([one.message for one in await store.claim(DUE + timedelta(milliseconds=3), 9)]) == ids(
            due[3:4]
        )
        assert await store.claim(DUE + timedelta(milliseconds=3), 9) == []

    async def test_what_is_not_due_is_not_claimed(self, store: Store) -> None:
        waiting = [in_state(state) for state in MessageState if state is not MessageState.QUEUED]
        await put(store, *(replace(one, id=f"k7fm2xqp9d{n:02}") for n, one in enumerate(waiting)))
        assert await store.claim(DUE - timedelta(microseconds=1), 100) == []
        [held] = await store.claim(DUE, 100)
        assert held.message.recipients[0].in_flight

    async def test_a_retry_waits_for_its_time(self, store: Store) -> None:
        await put(store, message())
        [claimed] = await store.claim(DUE, 10)
        later = [Outcome(address="b@client.example", answer=Answer.LATER, reply="451 4.3.0 Later")]
        change = delivery.settle(claimed.message, later, by="mailguard", now=DUE)
        assert await store.apply(change)
        due = change.after.due_at
        assert due is not None
        assert await store.next_due() == due
        assert await store.claim(due - timedelta(seconds=1), 10) == []
        [again] = await store.claim(due, 10)
        assert again.message.recipients[0].attempts == 2
        assert again.content == CONTENT

    async def test_what_a_stopped_guard_had_in_hand_is_found_and_recovered(
        self, store: Store, gone: Gone
    ) -> None:
        await put(store, *numbered(3))
        claimed = await store.claim(DUE + timedelta(milliseconds=1), 10)
        await gone()
        stranded = await store.stranded()
        assert ids(stranded) == ids([one.message for one in claimed])
        for one in stranded:
            assert await store.apply(moves.recover(one, by="mailguard", now=LATER))
        assert await store.stranded() == []
        assert len(await store.claim(LATER, 10)) == 3

    async def test_next_due_is_the_next_claim_or_expiry(self, store: Store) -> None:
        assert await store.next_due() is None
        soon, late = NOW + timedelta(minutes=1), NOW + timedelta(days=2)
        await put(store, replace(in_state(MessageState.APPROVAL), id="a7fm2xqp9d3t", expires_at=late))
        assert await store.next_due() == late
        await put(store, message())
        assert await store.next_due() == DUE
        await put(store, replace(in_state(MessageState.FROZEN), id="f7fm2xqp9d3t", expires_at=soon))
        assert await store.next_due() == soon
        # Cancelled from CONFIRM: its end of waiting stands in the record, and means nothing any more.
        await put(store, replace(in_state(MessageState.CANCELLED), id="c7fm2xqp9d3t", expires_at=NOW))
        assert await store.next_due() == soon

    async def test_the_longest_expired_come_first(self, store: Store) -> None:
        states = (MessageState.CONFIRM, MessageState.APPROVAL, MessageState.FROZEN, MessageState.CANCELLED)
        for index, state in enumerate(states):
            end = NOW + timedelta(hours=4 - index)
            await put(store, replace(in_state(state), id=f"k7fm2xqp9d3{index}", expires_at=end))
        assert await store.expired(NOW, 10) == []
        found = await store.expired(NOW + timedelta(hours=3), 10)
        assert [one.state for one in found] == [MessageState.FROZEN, MessageState.APPROVAL]
        assert ids(await store.expired(NOW + timedelta(days=1), 1)) == ["k7fm2xqp9d32"]
        expired = moves.expire(found[0], by="mailguard", now=LATER)
        assert isinstance(expired, Change)
        assert await store.apply(expired)
        assert len(await store.expired(NOW + timedelta(days=1), 10)) == 2
