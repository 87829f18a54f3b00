"""What every store must do for a search."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core.errors import NoSuchMessage
from mailguard.core.findings import Finding
from mailguard.core.hold import HeldMessage
from mailguard.core.states import FINISHED, MessageState
from mailguard.ports import Owner, Search, Store
from tests.edge.store.samples import ids, numbered, put
from tests.making import NOW, in_state, message, recipient


async def _found(store: Store, **wanted: object) -> list[str]:
    """Everything that fits, a page after the other."""
    found: list[str] = []
    search = Search(**wanted)  # type: ignore[arg-type]
    while True:
        page = await store.search(search)
        assert len(page.messages) <= search.limit
        found += ids(page.messages)
        if page.after is None:
            return found
        search = replace(search, after=page.after)


def _odd(number: int, **changes: object) -> HeldMessage:
    to = recipient(f"Person{number}@Client.example", release_at=NOW + timedelta(hours=number))
    return replace(message(to), id=f"{number}7fm2xqp9d3t", **changes)  # type: ignore[arg-type]


class SearchContract:
    """ports.Store.search."""

    async def test_what_is_given_must_all_hold(self, store: Store) -> None:
        stranger = Finding(check="stranger_in_thread", recipient="b@client.example")
        held = [
            _odd(1, subject="Offre Été", rules=("external",)),
            _odd(2, subject="offer 2026", rules=("external", "press"), findings=(stranger,)),
            _odd(3, sender="Boss@Corp.example", user="boss"),
        ]
        await put(store, *held)
        assert await _found(store) == ids(held)
        for text, wanted in (
            ("OFFER", [1]),
            ("Été", [0]),
            ("person3@client", [2]),
            ("boss@corp", [2]),
            ("27fm", [1]),
            ("100%", []),
            ("client.example", [0, 1, 2]),
        ):
            assert await _found(store, text=text) == [held[n].id for n in wanted], text
        assert await _found(store, rule="press") == [held[1].id]
        assert await _found(store, rule="pre") == []
        assert await _found(store, finding="stranger_in_thread", text="offer") == [held[1].id]
        assert await _found(store, finding="stranger_in_thread", text="boss") == []

    async def test_an_owner_s_are_those_of_the_login_and_of_the_addresses(self, store: Store) -> None:
        held = [
            _odd(1, user="anne", sender="anne@corp.example"),
            _odd(2, user="bob", sender="Office@Corp.example"),
            _odd(3, user=None, sender="anne@corp.example"),
            _odd(4, user=None, sender="bob@corp.example"),
            _odd(5, user="bob", sender="bob@corp.example"),
        ]
        await put(store, *held)
        office = frozenset({"office@corp.example"})
        assert await _found(store, owner=Owner(login="anne")) == ids(held[:1])
        assert await _found(store, owner=Owner(login="anne", addresses=office)) == ids(held[:2])
        assert await _found(store, owner=Owner(login="anne", anonymous=True)) == [
            held[n].id for n in (0, 2, 3)
        ]
        assert await _found(store, owner=Owner(login="nobody")) == []

    @pytest.mark.parametrize("limit", [1, 2, 7, 100])
    async def test_page_after_page_finds_each_once_and_in_order(self, store: Store, limit: int) -> None:
        held = numbered(20)
        mine = [replace(one, subject="mine") if n % 3 else one for n, one in enumerate(held)]
        await put(store, *mine)
        wanted = [one.id for one in mine if one.subject == "mine"]
        assert await _found(store, text="mine", limit=limit) == wanted

    async def test_states_choose_the_finished_newest_first(self, store: Store) -> None:
        finished = [
            replace(in_state(state), id=f"{n}7fm2xqp9d3t", finished_at=NOW - timedelta(hours=n))
            for n, state in enumerate(sorted(FINISHED))
        ]
        await put(store, _odd(9), *finished)
        assert await _found(store) == ["97fm2xqp9d3t"]
        assert await _found(store, states=FINISHED, limit=2) == ids(finished)
        assert await _found(store, states=frozenset({MessageState.SENT})) == [
            one.id for one in finished if one.state is MessageState.SENT
        ]

    async def test_a_place_that_is_forgotten_is_told(self, store: Store) -> None:
        with pytest.raises(NoSuchMessage):
            await store.search(Search(after="nothing"))
