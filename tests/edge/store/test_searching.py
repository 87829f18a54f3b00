"""Searching in SQLite: what one search may cost."""

import time

import pytest

from mailguard.edge.store import searching
from mailguard.edge.store.messages import SqliteStore
from mailguard.ports import Owner, Search
from tests.edge.store.contract_search import SearchContract
from tests.edge.store.samples import ids, numbered, put


class TestSearch(SearchContract):
    """The contract of a search."""


async def test_a_search_looks_through_so_many_and_tells_where_it_stopped(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "CHUNK", 4)
    monkeypatch.setattr(searching, "MOST", 10)
    held = await put(store, *numbered(25))
    first = await store.search(Search(text="b24@client"))
    assert (ids(first.messages), first.after) == ([], held[9].id)
    second = await store.search(Search(text="b24@client", after=first.after))
    third = await store.search(Search(text="b24@client", after=second.after))
    assert (ids(third.messages), third.after) == ([held[24].id], None)


async def test_the_list_of_one_among_ten_thousand_is_quick(store: SqliteStore) -> None:
    held = numbered(10_000, user="others", sender="others@corp.example")
    for start in range(0, len(held), 1000):
        await put(store, *held[start : start + 1000])
    begun = time.perf_counter()
    found = await store.search(Search(owner=Owner(login="anne", addresses=frozenset({"a@corp.example"}))))
    took = time.perf_counter() - begun
    assert (found.messages, found.after) == ([], None)
    # A tenth of this on an idle machine; the page has 200 ms.
    assert took < 1
