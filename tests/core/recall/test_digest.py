from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.recall import digest
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.observation import TERM_LIMIT
from tests.core.recall.letters import letter, reading

DIGESTS = Digests(b"tests")


@pytest.mark.parametrize(
    ("written", "bare", "reply", "forward"),
    [
        ("Budget 2026", "budget 2026", False, False),
        ("Re: Budget 2026", "budget 2026", True, False),
        ("RE: [team] FW: Budget 2026", "budget 2026", True, False),
        ("TR : Réunion", "reunion", False, True),
        ("Fwd: Re: Budget", "budget", False, True),
        ("AW: Angebot", "angebot", True, False),
        ("Report on Re", "report on re", False, False),
    ],
)
def test_a_subject_is_the_same_under_its_prefixes(
    written: str, bare: str, reply: bool, forward: bool
) -> None:
    assert digest.bare_subject(written) == (bare, reply, forward)


def test_a_reply_shares_the_terms_of_what_it_quotes() -> None:
    first = reading(
        letter("b@x.example", "The turbine contract needs a signature", subject="Turbine")
    ).observation
    quoted = "\n".join("> " + line for line in ["The turbine contract needs a signature"])
    answer = reading(
        letter("a@x.example", "Done.\n\nOn 5 Jan 2026 Anna wrote:\n" + quoted, subject="Re: Turbine")
    )
    shared = {term for term, _ in first.terms} & {term for term, _ in answer.observation.terms}
    assert len(shared) >= 4
    assert answer.observation.subject == first.subject
    assert answer.observation.is_reply


def test_own_words_weigh_more_than_quoted_ones() -> None:
    found = reading(letter("b@x.example", "turbine\n\n-----Original Message-----\nFrom: Bob\nwindmill"))
    weights = dict(found.observation.terms)
    words = {
        word: digest.read.__globals__["Digests"](b"tests").word(word) for word in ("turbine", "windmill")
    }
    assert weights[words["turbine"]] > weights[words["windmill"]]


@given(st.text(max_size=500), st.text(max_size=80))
def test_no_letter_makes_it_fail_and_what_is_kept_is_bounded(text: str, subject: str) -> None:
    kept = reading(letter("b@x.example", text, subject=subject)).observation
    assert len(kept.terms) <= TERM_LIMIT
    assert all(1 <= weight <= 255 for _, weight in kept.terms)


def test_without_words_all_else_is_the_same() -> None:
    written = letter("b@x.example", "Dear Bob,\nturbine\n\n-----Original Message-----\nFrom: Bob\nwindmill")
    whole = digest.read(written, DIGESTS)
    bare = digest.read(written, DIGESTS, words=False)
    assert whole.observation.terms
    without = replace(whole, spoken=frozenset(), mentioned=frozenset(), addresses=frozenset(), own_length=0)
    assert bare == replace(without, observation=replace(whole.observation, terms=()))


def test_of_a_sender_whose_greetings_nobody_knows_the_text_is_not_read() -> None:
    written = letter("b@x.example", "Dear Bob,\nturbine\n> windmill", subject="Re: offer")
    bare = digest.read(written, DIGESTS, words=False)
    unread = digest.read(written, DIGESTS, words=False, greets=False)
    assert bare.greeted
    assert unread.quotation.own == ""
    without = replace(bare, greeted=(), quotation=unread.quotation)
    assert unread == replace(without, observation=replace(bare.observation, greeting=()))
