import pytest

from mailguard.core.recall.people import Person
from mailguard.core.recall.spelling import one_apart, slip


@pytest.mark.parametrize(
    ("one", "other"), [("dupont", "dupnt"), ("dupont", "duppont"), ("dupont", "dupnot"), ("dupont", "dupond")]
)
def test_one_letter_wrong(one: str, other: str) -> None:
    assert one_apart(one, other)
    assert one_apart(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("dupont", "dupont"), ("dupont", "durand"), ("dupont", "dupo"), ("abcd", "badc")]
)
def test_nothing_wrong_or_more(one: str, other: str) -> None:
    assert not one_apart(one, other)


def test_a_slip_in_the_name_in_the_domain_and_none() -> None:
    known = Person("marie@client.example")
    assert slip(Person("maire@client.example"), known) == 1
    assert slip(Person("marie@cient.example"), known) == 1
    assert 0 < slip(Person("marie@other.example"), known) < 1
    assert slip(Person("paul@client.example"), known) == 0
