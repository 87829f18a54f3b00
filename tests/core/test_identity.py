"""Ids: unguessable in form, forgiving in reading."""

import os

from mailguard.core.identity import ALPHABET, LENGTH, from_random, normalize


def test_an_id_is_twelve_unmistakable_letters() -> None:
    made = from_random(os.urandom(8))
    assert len(made) == LENGTH
    assert set(made) <= set(ALPHABET)
    assert not set("ilou") & set(ALPHABET)


def test_five_bits_a_letter_the_lowest_first() -> None:
    number = sum(place << (5 * place) for place in range(LENGTH))
    assert from_random(number.to_bytes(8, "big")) == "0123456789ab"


def test_all_sixty_bits_count() -> None:
    flips = {from_random((1 << bit).to_bytes(8, "big")) for bit in range(60)}
    assert len(flips) == 60
    assert from_random(bytes(8)) not in flips


def test_what_was_misheard_is_mended() -> None:
    assert normalize(" K7FM-2xqp 9d3T") == "k7fm2xqp9d3t"
    assert normalize("lO1i") == "1011"
