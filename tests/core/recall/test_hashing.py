from mailguard.core.recall import hashing
from mailguard.core.recall.hashing import Digests


def test_the_same_word_is_the_same_number_for_one_key_only() -> None:
    assert Digests(b"one").word("merger") == Digests(b"one").word("merger")
    assert Digests(b"one").word("merger") != Digests(b"other").word("merger")
    assert Digests(b"one").id("<a@b>") != Digests(b"other").id("<a@b>")


def test_an_id_is_never_the_number_that_stands_for_none() -> None:
    assert all(Digests(b"k").id(str(number)) for number in range(1000))


def test_the_words_at_hand_are_bounded() -> None:
    digests = Digests(b"k")
    for number in range(hashing._CACHED + 10):
        digests.word(str(number))
    assert len(digests._cache) <= hashing._CACHED


def test_a_text_that_is_no_unicode_has_a_number_too() -> None:
    assert Digests(b"k").word("\ud800") >= 0
