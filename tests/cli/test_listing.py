"""The list of a long queue, a page at a time."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mailguard.cli import listing
from mailguard.cli.listing import FIRST, NEXT


class Guard:
    """Answers as the desk does, from a list that a test may change between two pages."""

    def __init__(self, count: int) -> None:
        self.ids = [f"{number:012d}" for number in range(count)]
        self.asked: list[Mapping[str, object]] = []

    def answer(self, request: Mapping[str, object]) -> dict[str, Any]:
        self.asked.append(request)
        after, limit = request["after"], request["limit"]
        assert isinstance(limit, int)
        if after is not None and after not in self.ids:
            return {"told": "no_such_message", "text": "gone"}
        begin = 0 if after is None else self.ids.index(str(after)) + 1
        page = [{"id": one} for one in self.ids[begin : begin + limit]]
        more = {"after": page[-1]["id"]} if len(page) == limit else {}
        return {"told": "done", "text": "", "messages": page, **more}


@pytest.mark.parametrize("count", [0, 1, FIRST, FIRST + 1, FIRST + NEXT, FIRST + 2 * NEXT + 7])
def test_all_of_it_once_and_in_order(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    guard = Guard(count)
    listing.print_array(listing.pages(guard.answer, {"verb": "queue"}, None))
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == guard.ids


def test_no_more_than_was_wanted() -> None:
    guard = Guard(FIRST + 100)
    found = list(listing.pages(guard.answer, {"verb": "queue"}, FIRST + 10))
    assert [len(page) for page in found] == [FIRST, 10]
    assert [request["limit"] for request in guard.asked] == [FIRST, 10]


def test_a_page_that_begins_behind_what_is_forgotten() -> None:
    guard = Guard(FIRST + 100)
    found = listing.pages(guard.answer, {"verb": "queue"}, None)
    shown = [one["id"] for one in next(found)]
    del guard.ids[FIRST - 1]
    shown += [one["id"] for page in found for one in page]
    assert len(shown) == len(set(shown)) == FIRST + 100


def test_an_empty_queue_is_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    listing.print_array(iter(()))
    assert capsys.readouterr().out == "[]\n"
