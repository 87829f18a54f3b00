"""What is learnt of a mail, before any database has it."""

import pytest

from mailguard.edge.store import threads
from mailguard.edge.store.threads import Lesson, Threads


class Kept:
    """A memory that only writes down what it is told."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.lessons: list[Lesson] = []
        self.erased: list[str] = []
        self.threads = Threads(self._participants, self._learn, self._erase)

    async def _participants(self, digests: object) -> frozenset[str]:
        assert isinstance(digests, list)
        self.asked.append(digests)
        return frozenset({"a@x"})

    async def _learn(self, lesson: Lesson) -> None:
        self.lessons.append(lesson)

    async def _erase(self, address: str) -> None:
        self.erased.append(address)


@pytest.fixture
def kept() -> Kept:
    """An empty one."""
    return Kept()


async def test_nobody_is_asked_about_no_message(kept: Kept) -> None:
    assert not (await kept.threads.thread(["", ""])).known
    await kept.threads.learn("", [], ["a@x"])
    assert (kept.asked, kept.lessons) == ([], [])


async def test_an_id_is_known_by_the_same_digest_wherever_it_stands(kept: Kept) -> None:
    assert (await kept.threads.thread(["1@x", "2@x", "1@x"])).participants == {"a@x"}
    await kept.threads.learn("1@x", ["2@x", "", "2@x"], ["a@x", "", "b\0@x"])
    [asked], [lesson] = kept.asked, kept.lessons
    assert len(asked) == 2
    assert lesson == Lesson([asked[1], asked[0]], ["a@x", "b?@x"])


async def test_a_header_with_thousands_of_ids_is_bounded(kept: Kept) -> None:
    named = [f"{number}@x" for number in range(5 * threads.MOST_IDS)]
    await kept.threads.thread(named)
    await kept.threads.thread([named[0]])
    await kept.threads.thread([named[-1]])
    many, [first], [newest] = kept.asked
    assert len(many) == threads.MOST_IDS
    assert (many[0], many[-1]) == (first, newest)
