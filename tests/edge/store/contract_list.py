"""What every store must do for the list and the counts, and what it forgets."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core import moves
from mailguard.core.errors import NoSuchMessage, StoreError
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.states import MessageState, RecipientState
from mailguard.ports import Census, Owner, Page, Store
from tests.edge.store.samples import CONTENT, cancelled, ids, new, numbered, put
from tests.making import MARGIN, NOW, gated, in_state, message, recipient


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

    async def test_one_persons_messages(self, store: Store) -> None:
        """By login, by address, and all that came without a login; in the order of the whole list."""
        held = _listing()
        made = [
            *(replace(one, user="ann", sender="else@corp.example") for one in held[:3]),
            *(replace(one, user=None, sender="Office@Corp.Example") for one in held[3:5]),
            *(replace(one, user=None, sender="x@corp.example") for one in held[5:7]),
            *(replace(one, user="bob", sender="x@corp.example") for one in held[7:8]),
            *(replace(one, user="bob", sender="office@corp.example") for one in held[8:9]),
            *(replace(one, user=None, sender="x@other.example") for one in held[9:]),
        ]
        await put(store, *made)
        owner = Owner(login="ann", addresses=frozenset({"office@corp.example"}))
        wanted = ids([*made[:5], made[8]])
        assert ids(await store.page(Page(owner=owner, finished=True))) == wanted
        assert (
            ids(await store.page(Page(owner=owner, finished=True, after=wanted[2], limit=2))) == wanted[3:5]
        )
        assert ids(await store.page(Page(owner=owner))) == wanted[:5]
        assert ids(await store.page(Page(owner=Owner(login="nobody"), finished=True))) == []
        everything = Owner(login="bob", anonymous=True)
        assert ids(await store.page(Page(owner=everything, finished=True))) == ids(made[3:])

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
