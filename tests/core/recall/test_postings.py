from collections import defaultdict
from random import Random

from hypothesis import given
from hypothesis import strategies as some

from mailguard.core.recall.postings import Postings


@given(
    some.sampled_from((32, 64)),
    some.lists(some.tuples(some.integers(0, 2**32 - 1) | some.integers(0, 3), some.booleans())),
)
def test_what_was_put_in_is_found_in_the_order_of_time(bits: int, added: list[tuple[int, bool]]) -> None:
    postings = Postings(bits, 1000)
    expected: dict[int, list[int]] = defaultdict(list)
    for mail, (low, high) in enumerate(added, 1):
        key = low << bits - 32 if high else low
        assert not postings.add(key, mail)
        expected[key].append(mail)
    assert {key: list(postings.find(key)) for key in expected} == expected
    assert postings.counts(expected) == list(map(len, expected.values()))
    assert not postings.find(4)
    assert postings.counts([4]) == [0]


def test_many_are_found_once_they_had_to_be_divided() -> None:
    random = Random(1)
    keys = [random.getrandbits(32) for _ in range(20_000)]
    postings = Postings(32, 7)
    for mail, key in enumerate(keys, 1):
        postings.add(key, mail)
    assert len(postings._parts) > 32
    assert all(list(postings.find(key)) == [mail] for mail, key in enumerate(keys, 1))
    assert max(len(keys) for keys, _ in postings._parts) < 1024
    assert not any(postings.find(key) for key in {key ^ 1 for key in keys}.difference(keys))


def test_of_each_key_the_latest_are_kept() -> None:
    postings = Postings(64, 5)
    gone = [postings.add(key, mail) for mail in range(1, 7) for key in (7, 8, 2**64 - 1)]
    assert gone == [0] * 15 + [3] * 3
    assert [list(postings.find(key)) for key in (7, 8, 2**64 - 1)] == [[4, 5, 6]] * 3
    assert len(postings) == 9


def test_one_is_kept_of_what_can_only_be_the_last() -> None:
    postings = Postings(64, 1)
    assert [postings.add(9, mail) for mail in (1, 2, 3)] == [0, 1, 1]
    assert list(postings.find(9)) == [3]


def test_forgotten_mail_is_not_found() -> None:
    postings = Postings(32, 9)
    for mail in range(1, 9):
        postings.add(mail % 2, mail)
        postings.add(100 + mail, mail)
    postings.forget(5)
    assert [list(postings.find(key)) for key in (0, 1, 104, 105)] == [[6, 8], [5, 7], [], [5]]
    assert len(postings) == 8
    postings.add(0, 9)
    assert list(postings.find(0)) == [6, 8, 9]
