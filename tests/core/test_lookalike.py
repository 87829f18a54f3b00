import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.address import ascii_domain
from mailguard.core.lookalike import alike, nearest, two_firms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cliemt.example", "client.example"),
        ("cilent.example", "client.example"),
        ("client.exampl", "client.example"),
        ("cllient.example", "client.example"),
        ("rnicro.example", "micro.example"),
        ("goog1e.example", "google.example"),
        ("c0rp.example", "corp.example"),
        ("vvidget.example", "widget.example"),
        ("my-bank.example", "mybank.example"),
        ("client.co", "client.com"),
        # Cyrillic, Greek, and a Latin letter with an accent.
        ("\u0441\u043e\u0440\u0440.example", "copp.example"),
        ("\u03bfrange.example", "orange.example"),
        ("clíent.example", "client.example"),
    ],
)
def test_these_could_be_mistaken(one: str, other: str) -> None:
    assert alike(ascii_domain(one), ascii_domain(other))
    assert alike(ascii_domain(other), ascii_domain(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("client.example", "client.example"),
        ("mail.client.example", "client.example"),
        ("client.example", "durand.example"),
        ("a.fr", "b.fr"),
        ("paris.example", "madrid.example"),
        ("client-france.example", "client.example"),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


def test_a_known_domain_is_mistaken_for_none() -> None:
    known = {"client.example", "cliemt.example"}
    assert nearest("cliemt.example", known) == ""
    assert nearest("cliennt.example", known) == "client.example"
    assert nearest("durand.example", known) == ""


@pytest.mark.parametrize(
    ("one", "other", "chance"),
    [
        ("lpl.example", "fpl.example", True),
        ("mail.abc.example", "mail.abd.example", True),
        # Drawn alike, another ending, a dot too many, or long enough to be a slip.
        ("c0rp.example", "corp.example", False),
        ("corp.co", "corp.com", False),
        ("corpexample", "corp.example", False),
        ("cliemt.example", "client.example", False),
    ],
)
def test_short_names_one_letter_apart_are_two_firms(one: str, other: str, chance: bool) -> None:
    assert two_firms(one, other) is chance
    assert two_firms(other, one) is chance


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert alike(one, other) == alike(other, one)
