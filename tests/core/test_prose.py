import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.prose import Text, fold, words


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("results", "The RESULTS are out", True),
        ("results", "our resultset", False),
        ("plan", "planet", False),
        ("plan", "a plan.", True),
        ("plan", "plan", True),
        ("confiden*", "strictly confidential", True),
        ("confiden*", "unconfident", False),
        ("*gate", "the investigate thing", True),
        ("*gate", "gates", False),
        ("*", "", True),
        ("cost cuts", "about cost\r\n cuts in spring", True),
        ("resume", "my résumé", True),
        ("résumé", "my resume", True),
        ("l'offre", "voici l\u2019offre", True),
        ("C++", "in c++ or not", True),
        ("straße", "STRASSE", True),
        ("(draft)", "my (draft) text", True),
        ("a.b", "axb", False),
        ("plan", "the planet, then the plan", True),
    ],
)
def test_words_stand_by_themselves(pattern: str, text: str, found: bool) -> None:
    assert words(pattern).found_in(Text(raw=text)) is found


@pytest.mark.parametrize("pattern", ["", "   ", "a*b", "a* *b"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        words(pattern)


def test_folding_keeps_line_breaks_and_the_folded_text_does_not() -> None:
    assert fold("É\nA") == "e\na"
    assert Text(raw="É\n A\u00adb").folded == "e ab"


@given(st.text())
def test_every_text_is_found_in_itself_or_is_no_pattern(text: str) -> None:
    try:
        pattern = words(text)
    except ValueError:
        return
    assert pattern.found_in(Text(raw=text.replace("*", "")))


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = Text(raw=text).folded
    assert Text(raw=once).folded == once


def test_hostile_text_costs_little() -> None:
    start = time.process_time()
    assert not words("aaaa").found_in(Text(raw="a" * 250_000))
    assert not words("é é").found_in(Text(raw="é" * 250_000))
    assert time.process_time() - start < 0.5
