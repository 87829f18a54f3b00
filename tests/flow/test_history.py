"""Reading: the list in the order of leaving, one's own only, and the counts."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.hold import HeldMessage
from mailguard.core.states import MessageState
from mailguard.core.told import Told
from mailguard.flow import history
from mailguard.ports import Page
from tests.flow.parts import ANNE, BOB, Parts


async def test_next_to_leave_first(parts: Parts) -> None:
    slow = await parts.id_of("x@slow.example")
    soon = await parts.id_of("client@customer.example")
    person = await parts.id_of("a@big.example")
    assert [m.id for m in await parts.history.listing(ANNE)] == [soon, slow, person]


async def test_everybody_sees_their_own_and_the_admin_all(parts: Parts) -> None:
    await parts.submit()
    assert len(await parts.history.listing(ANNE)) == 1
    assert await parts.history.listing(BOB) == []
    assert len(await parts.history.listing(ADMIN)) == 1


async def test_finished_ones_are_shown_only_when_asked_for(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    assert await parts.history.listing(ANNE) == []
    assert [m.id for m in await parts.history.listing(ANNE, finished=True)] == [message]
    cancelled = frozenset({MessageState.CANCELLED})
    assert [m.id for m in await parts.history.listing(ANNE, states=cancelled)] == [message]
    assert await parts.history.listing(ANNE, sender="bob@corp.example", finished=True) == []


async def test_a_long_list_comes_whole_and_in_order(parts: Parts) -> None:
    made = [await parts.id_of() for _ in range(1100)]
    assert [m.id for m in await parts.history.listing(ADMIN)] == made
    assert len(await parts.history.listing(ADMIN, limit=7)) == 7


async def test_a_message_that_ends_between_two_pages_takes_nothing_with_it(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    made = [await parts.id_of() for _ in range(9)]
    page = parts.store.page

    async def then_cancelled(wanted: Page) -> Sequence[HeldMessage]:
        found = await page(wanted)
        if wanted.after is None:
            await parts.decide.cancel(found[-1].id, ADMIN)
        return found

    monkeypatch.setattr(parts.store, "page", then_cancelled)
    assert [m.id for m in await parts.history.listing(ADMIN)] == made


async def test_the_approver_may_see_what_waits_for_them(parts: Parts) -> None:
    message = await parts.id_of("editor@newspaper.example")
    assert (await parts.history.find(message, BOB)).told is Told.DONE
    other = await parts.id_of()
    assert (await parts.history.find(other, BOB)).told is Told.NOT_YOURS


async def test_the_status_counts_what_is_late(parts: Parts) -> None:
    await parts.submit()
    status = await parts.history.status()
    assert status["overdue"] == 0
    await parts.clock.advance(timedelta(minutes=10))
    status = await parts.history.status()
    assert status["overdue"] == 1
    assert status["oldest_overdue"] == "2026-11-22T10:05:03Z"
    assert isinstance(status["messages"], dict)
    assert status["messages"]["held"] == 1
