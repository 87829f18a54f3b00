"""What every store and every memory must do, whatever lies below: run by a class per kind of store.

A subclass gives the fixture `store` (or `memory`) and collects the tests by inheriting them.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mailguard.core import delivery, moves
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.errors import AmbiguousId, NoSuchMessage, StoreError
from mailguard.core.events import Event
from mailguard.core.hold import Change, Claimed, HeldMessage, NewMessage
from mailguard.core.identity import from_random
from mailguard.core.states import MessageState, RecipientState
from mailguard.ports import Census, Memory, Page, Store
from tests.making import DELAY, MARGIN, NOW, gated, in_state, message, recipient

CONTENT = b"Subject: Cost cuts\r\n\r\nNot for everybody.\r\n"
DUE = NOW + DELAY + MARGIN
LATER = NOW + timedelta(hours=1)


class RecordingLog:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.troubles: list[tuple[str, dict[str, object]]] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.events.append((name, fields))

    def trouble(self, name: str, /, **fields: object) -> None:
        self.troubles.append((name, fields))


def new(held: HeldMessage, content: bytes = CONTENT) -> NewMessage:
    """The message as it comes in."""
    received = Event(at=held.received_at, event="received", by="a", detail={"peer": "127.0.0.1"})
    return NewMessage(message=replace(held, size=len(content)), content=content, event=received)


def numbered(count: int, **changes: object) -> list[HeldMessage]:
    """Messages with ids of their own, due one after the other."""
    rnd = random.Random(count)
    made = []
    for index in range(count):
        due = DUE + timedelta(milliseconds=index)
        to = recipient(f"b{index}@client.example", release_at=due - MARGIN, due_at=due)
        made.append(message(to, id=from_random(rnd.randbytes(8)), size=len(CONTENT), **changes))
    return made


async def put(store: Store, *held: HeldMessage) -> list[HeldMessage]:
    """Add these; as the store has them then."""
    await asyncio.gather(*(store.add(new(one)) for one in held))
    return [replace(one, size=len(CONTENT)) for one in held]


def taken(held: HeldMessage) -> list[Outcome]:
    """The upstream takes it for everybody in flight."""
    flying = [one for one in held.recipients if one.in_flight]
    return [Outcome(address=one.address, answer=Answer.TAKEN, reply="250 2.0.0 Ok") for one in flying]


def settled(held: HeldMessage, now: datetime = LATER) -> Change:
    """The message has left."""
    return delivery.settle(held, taken(held), by="mailguard", now=now)


def cancelled(held: HeldMessage, now: datetime = NOW) -> Change:
    """Its sender stops it."""
    change = moves.cancel(held, (), by="a", now=now)
    assert isinstance(change, Change)
    return change


def ids(messages: Sequence[HeldMessage]) -> list[str]:
    return [one.id for one in messages]


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

    async def test_what_a_stopped_guard_had_in_hand_is_found_and_recovered(self, store: Store) -> None:
        await put(store, *numbered(3))
        claimed = await store.claim(DUE + timedelta(milliseconds=1), 10)
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


def _listing() -> list[HeldMessage]:
    """One of every kind, in the order of the list."""
    hour = timedelta(hours=1)
    late = recipient(release_at=NOW - hour, due_at=NOW + hour, state=RecipientState.DEFERRED, attempts=2)
    relaying = recipient(release_at=NOW, due_at=NOW, in_flight=True, attempts=1)
    split = (gated("c@client.example"), recipient(release_at=NOW + 2 * hour, due_at=NOW + 2 * hour))
    made = [
        message(late, state=MessageState.QUEUED),
        message(relaying, state=MessageState.RELAYING),
        message(recipient(release_at=NOW + hour, due_at=NOW + hour)),
        replace(in_state(MessageState.CONFIRM), recipients=split),
        in_state(MessageState.FROZEN),
        in_state(MessageState.APPROVAL),
        in_state(MessageState.CONFIRM),
        replace(in_state(MessageState.SENT), finished_at=NOW + hour),
        replace(in_state(MessageState.CANCELLED), finished_at=NOW),
        replace(in_state(MessageState.FAILED), finished_at=NOW - hour),
        replace(in_state(MessageState.SENT), finished_at=NOW - 2 * hour),
    ]
    return [replace(one, id=f"{'xkbqfzmadtr'[n]}7fm2xqp9d3t") for n, one in enumerate(made)]


class ListContract:
    """ports.Store: the list, the counts, and forgetting."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 20])
    async def test_next_to_leave_first_then_who_waits_for_a_person_then_the_finished(
        self, store: Store, limit: int
    ) -> None:
        held = _listing()
        # Those without a time stay in the order in which they came.
        for one in held:
            await put(store, one)
        found: list[str] = []
        after: str | None = None
        while bunch := await store.page(Page(finished=True, after=after, limit=limit)):
            assert len(bunch) <= limit
            found += ids(bunch)
            after = found[-1]
        assert found == ids(held)
        assert ids(await store.page(Page())) == ids(held[:7])
        assert ids(await store.page(Page(after=held[1].id))) == ids(held[2:7])

    @pytest.mark.parametrize("state", MessageState)
    async def test_only_these_states(self, store: Store, state: MessageState) -> None:
        held = _listing()
        await put(store, *held)
        wanted = [one for one in held if one.state is state]
        assert ids(await store.page(Page(states=frozenset({state})))) == ids(wanted)
        both = frozenset({state, MessageState.SENT})
        found = await store.page(Page(states=both))
        assert ids(found) == ids([one for one in held if one.state in both])

    async def test_a_senders_messages_in_every_spelling(self, store: Store) -> None:
        held = _listing()
        theirs = [replace(one, sender="A.Other@Corp.Example") for one in held[1::3]]
        await put(store, *held[::3], *held[2::3], *theirs)
        page = Page(sender="a.other@corp.example", finished=True)
        assert ids(await store.page(page)) == ids(theirs)
        assert ids(await store.page(replace(page, after=theirs[0].id))) == ids(theirs[1:])
        only = frozenset({theirs[-1].state})
        assert ids(await store.page(replace(page, states=only))) == [
            one.id for one in theirs if one.state in only
        ]
        assert await store.page(Page(sender="nobody@corp.example", finished=True)) == []

    async def test_the_list_moves_as_the_messages_do(self, store: Store) -> None:
        held = await put(store, *numbered(3))
        change = moves.extend(held[0], lambda at: at + timedelta(hours=1), by="a", now=NOW)
        assert isinstance(change, Change)
        assert await store.apply(change)
        assert ids(await store.page(Page())) == [held[1].id, held[2].id, held[0].id]
        assert await store.apply(cancelled(held[1]))
        assert ids(await store.page(Page(finished=True))) == [held[2].id, held[0].id, held[1].id]

    async def test_a_list_cannot_go_on_after_what_is_not_there(self, store: Store) -> None:
        with pytest.raises(NoSuchMessage):
            await store.page(Page(after="k7fm2xqp9d3t"))

    async def test_the_census_counts_states_and_what_is_overdue(self, store: Store) -> None:
        assert await store.census(NOW) == Census()
        held = _listing()
        await put(store, *held)
        counted = {state: sum(one.state is state for one in held) for state in MessageState}
        census = await store.census(NOW)
        assert {state: number for state, number in census.by_state.items() if number} == {
            state: number for state, number in counted.items() if number
        }
        # A retry is overdue although its next attempt lies ahead; the margin is not over for the second.
        assert (census.overdue, census.oldest_overdue) == (1, NOW - timedelta(hours=1) + MARGIN)
        assert (await store.census(NOW + MARGIN)).overdue == 2
        # A frozen one is never late.
        assert (await store.census(NOW + timedelta(days=9))).overdue == 4
        assert await store.apply(cancelled(await store.find(held[2].id)))
        census = await store.census(NOW)
        assert MessageState.HELD not in census.by_state or census.by_state[MessageState.HELD] == 0
        assert census.by_state[MessageState.CANCELLED] == 2

    async def test_bytes_are_forgotten_when_no_restore_can_want_them(self, store: Store) -> None:
        [held, kept] = await put(store, *numbered(2))
        for one, at in ((held, NOW), (kept, NOW + timedelta(days=1))):
            assert await store.apply(cancelled(one, at))
        before = await store.find(held.id)
        undo_before = NOW + timedelta(hours=1)
        long_ago = NOW - timedelta(days=90)
        assert await store.forget(long_ago, undo_before, 100) == 1
        assert await store.content(held.id) is None
        assert not (await store.find(held.id)).body_kept
        assert await store.content(kept.id) == CONTENT
        # A restore that was computed while the bytes were there comes too late.
        restore = moves.restore(before, by="a", now=NOW)
        assert isinstance(restore, Change)
        assert not await store.apply(restore)
        assert await store.forget(long_ago, undo_before, 100) == 0
        assert len(await store.events(held.id)) == 2

    async def test_finished_messages_are_forgotten_whole_and_others_never(self, store: Store) -> None:
        old = [
            replace(in_state(state), id=f"k7fm2xqp9d{n:02}", finished_at=NOW if state.finished else None)
            for n, state in enumerate(MessageState)
        ]
        await put(store, *old)
        finished = [one for one in old if one.state.finished]
        assert await store.forget(NOW, NOW, 100) == 0
        after = NOW + timedelta(seconds=1)
        assert await store.forget(after, NOW, 2) == 2
        assert await store.forget(after, NOW, 100) == len(finished) - 2
        assert await store.forget(after, NOW, 100) == 0
        for one in finished:
            assert await store.content(one.id) is None
            assert await store.events(one.id) == []
            with pytest.raises(NoSuchMessage):
                await store.find(one.id)
        left = await store.page(Page(finished=True))
        assert sorted(ids(left)) == sorted(one.id for one in old if not one.state.finished)
        assert sum((await store.census(NOW)).by_state.values()) == len(left)
        # An id may come again, and has nothing of the old one.
        [again] = await put(store, replace(message(), id=finished[-1].id))
        assert await store.find(again.id) == again
        assert len(await store.events(again.id)) == 1

    async def test_a_closed_store_says_so(self, store: Store) -> None:
        await store.close()
        await store.close()
        with pytest.raises(StoreError):
            await store.find("k7f")
        with pytest.raises(StoreError):
            await store.add(new(message()))


def claimed_ids(claimed: Sequence[Claimed]) -> list[str]:
    return [one.message.id for one in claimed]


class MemoryContract:
    """ports.Memory."""

    async def test_nothing_is_known_at_first(self, memory: Memory) -> None:
        assert not (await memory.thread(["one@corp.example"])).known
        assert not (await memory.thread([])).known

    async def test_a_thread_grows_with_its_answers(self, memory: Memory) -> None:
        await memory.learn("1@x", [], ["a@x", "b@x"])
        await memory.learn("2@x", ["1@x"], ["b@x", "c@x"])
        await memory.learn("9@x", [], ["z@x"])
        for named in (["1@x"], ["2@x"], ["unknown@x", "2@x"]):
            assert (await memory.thread(named)).participants == {"a@x", "b@x", "c@x"}
        assert (await memory.thread(["9@x", "1@x"])).participants == {"a@x", "b@x", "c@x", "z@x"}

    async def test_a_message_that_was_only_named_belongs_to_the_thread(self, memory: Memory) -> None:
        await memory.learn("2@x", ["1@x"], ["a@x"])
        await memory.learn("3@x", ["1@x"], ["b@x"])
        assert (await memory.thread(["2@x"])).participants == {"a@x", "b@x"}

    async def test_a_message_joins_all_threads_that_it_names(self, memory: Memory) -> None:
        for number in range(5):
            await memory.learn(f"{number}@x", [], [f"p{number}@x"])
        await memory.learn("j1@x", ["0@x", "1@x"], [])
        await memory.learn("j2@x", ["2@x", "3@x"], [])
        await memory.learn("j3@x", ["1@x", "2@x"], ["q@x"])
        everybody = {"p0@x", "p1@x", "p2@x", "p3@x", "q@x"}
        for named in ("0@x", "1@x", "2@x", "3@x", "j1@x", "j2@x", "j3@x"):
            assert (await memory.thread([named])).participants == everybody
        assert (await memory.thread(["4@x"])).participants == {"p4@x"}

    async def test_learning_twice_changes_nothing(self, memory: Memory) -> None:
        for _ in range(2):
            await memory.learn("2@x", ["1@x"], ["a@x", "a@x", "b@x"])
        assert (await memory.thread(["1@x"])).participants == {"a@x", "b@x"}

    async def test_as_a_plain_set_would_have_it(self, memory: Memory) -> None:
        rnd = random.Random(7)
        threads: list[tuple[set[str], set[str]]] = []
        lessons = []
        for number in range(150):
            answers = [f"{rnd.randrange(200)}@x" for _ in range(rnd.randrange(3))]
            people = [f"p{rnd.randrange(60)}@x" for _ in range(rnd.randrange(3))]
            lessons.append((f"{number}@x", answers, people))
            named, took_part = {f"{number}@x", *answers}, set(people)
            for other in [one for one in threads if one[0] & named]:
                threads.remove(other)
                named |= other[0]
                took_part |= other[1]
            threads.append((named, took_part))
        await asyncio.gather(*(memory.learn(*lesson) for lesson in lessons))
        for named, took_part in threads:
            for one in named:
                assert (await memory.thread([one])).participants == took_part

    async def test_long_headers_cost_little(self, memory: Memory) -> None:
        await memory.learn("first@x", [], ["a@x"])
        await memory.learn("last@x", [], ["z@x"])
        many = ["first@x", *(f"{number}@x" for number in range(20_000)), "last@x"]
        assert (await memory.thread(many)).participants == {"a@x", "z@x"}
        await memory.learn("new@x", many, ["n@x"])
        assert (await memory.thread(["new@x"])).participants == {"a@x", "z@x", "n@x"}
        assert not (await memory.thread(["100@x"])).known

    async def test_odd_ids_and_people(self, memory: Memory) -> None:
        odd = ["", "x" * 5000, "\x00", "\udce9@x", "é@x", "'; DROP TABLE thread; --"]
        await memory.learn("", odd, ["", "é@x.example", "\udce9@x", "b" * 3000])
        for one in odd[1:]:
            assert (await memory.thread([one])).participants >= {"é@x.example", "b" * 3000}
        assert not (await memory.thread([""])).known
        await memory.learn("", [], ["a@x"])
