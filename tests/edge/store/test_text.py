"""Text that comes from anywhere goes into every database, and good text stays what it is."""

import json
import sqlite3
from datetime import timedelta
from ipaddress import ip_address

import pytest

from mailguard.edge.store.text import encoded, storable


@pytest.mark.parametrize("text", ["", "plain", "é \u2028 \U0001f4e7", "a%b\\c'd\"e"])
def test_what_can_be_stored_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


@pytest.mark.parametrize(
    ("text", "told"), [("a\0b", "a?b"), ("é\0", "é?"), ("a\udce9b", "a?b"), ("\ud83d", "?")]
)
def test_what_cannot_is_a_question_mark(text: str, told: str) -> None:
    assert storable(text) == told
    assert sqlite3.connect(":memory:").execute("SELECT ?", (storable(text),)).fetchone() == (told,)


@pytest.mark.parametrize(
    "value",
    [{}, {"peer": "::1", "rules": ["external"], "blind": ["a@b"]}, {"é": 'x"\0\n\u2028'}, [1, None, 0.5]],
)
def test_what_is_encoded_reads_as_it_was(value: object) -> None:
    assert json.loads(encoded(value)) == value
    assert "\0" not in encoded(value) and "\n" not in encoded(value)


def test_what_is_no_text_is_encoded_all_the_same() -> None:
    assert json.loads(encoded({"helo": "a\udce9b"})) == {"helo": "a\udce9b"}
    assert encoded({"helo": "a\udce9b"}).isascii()
    assert json.loads(encoded({"delay": timedelta(seconds=5)})) == {"delay": "PT5S"}
    assert json.loads(encoded({"from": ip_address("::1")})) == {"from": "::1"}
