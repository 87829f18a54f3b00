"""Text that comes from anywhere goes into every database, and good text stays what it is."""

import sqlite3

import pytest

from mailguard.edge.store.text import storable


@pytest.mark.parametrize("text", ["", "plain", "é \u2028 \U0001f4e7", "a%b\\c'd\"e"])
def test_what_can_be_stored_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


@pytest.mark.parametrize(
    ("text", "told"), [("a\0b", "a?b"), ("é\0", "é?"), ("a\udce9b", "a?b"), ("\ud83d", "?")]
)
def test_what_cannot_is_a_question_mark(text: str, told: str) -> None:
    assert storable(text) == told
    assert sqlite3.connect(":memory:").execute("SELECT ?", (storable(text),)).fetchone() == (told,)
