"""What every memory must do, whatever lies below."""

import asyncio
import random

import pytest

from mailguard.edge.store import threads
from mailguard.ports import Memory


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

    async def test_a_crowd_is_bounded(self, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threads, "MOST_PARTICIPANTS", 10)
        await memory.learn("1@x", [], [f"p{number}@x" for number in range(25)])
        await memory.learn("2@x", ["1@x"], ["late@x"])
        assert len((await memory.thread(["1@x"])).participants) == 10

    async def test_of_a_mail_that_names_thousands_the_first_and_the_newest_count(
        self, memory: Memory
    ) -> None:
        named = [f"{number}@x" for number in range(threads.MOST_IDS + 10)]
        for one in (named[0], named[1], named[-1]):
            await memory.learn(one, [], [f"of-{one}"])
        assert (await memory.thread(named)).participants == {f"of-{named[0]}", f"of-{named[-1]}"}

    async def test_a_person_whom_no_database_can_hold_is_learnt_and_erased_all_the_same(
        self, memory: Memory
    ) -> None:
        await memory.learn("1@x", [], ["a\0b\udce9@x", "c@x"])
        assert (await memory.thread(["1@x"])).participants == {"a?b?@x", "c@x"}
        await memory.erase("a\0b\udce9@x")
        assert (await memory.thread(["1@x"])).participants == {"c@x"}
