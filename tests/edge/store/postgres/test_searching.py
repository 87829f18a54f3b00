"""Searching in PostgreSQL: the contract, and what one search may cost."""

import pytest

from mailguard.edge.store.postgres import PostgresStore, searching
from mailguard.ports import Search
from tests.edge.store.contract_search import SearchContract
from tests.edge.store.samples import ids, numbered, put


class TestSearch(SearchContract):
    """The contract of a search."""


async def test_a_search_looks_through_so_many_and_tells_where_it_stopped(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST", 7)
    monkeypatch.setattr(searching, "CHUNK", 3)
    held = await put(store, *numbered(20))
    found = await store.search(Search(text="nowhere"))
    assert not found.messages
    assert found.after == held[6].id
    rest = await store.search(Search(after=found.after))
    assert ids(rest.messages) == ids(held[7:14])
