from typing import Any

from mailguard.core.checks.lookalike_address import lookalike_address
from mailguard.core.findings import Finding
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance, Contact
from mailguard.core.wording import sentence
from tests.facts import facts, recalled


def found(**known: Any) -> tuple[Finding, ...]:
    near = known.pop("near", Contact(address="bob.martin@client.example", mails=12))
    person = Acquaintance(address="bob.matrin@client.example", near=near, **known)
    return lookalike_address(facts("Bob.Matrin@client.example", recollection=recalled(person)), Policy())


def test_a_slip_of_the_finger() -> None:
    (one,) = found()
    assert one.recipient == "Bob.Matrin@client.example"
    assert "bob.martin@client.example" in sentence(one, "en")
    assert "bob.martin@client.example" in sentence(one, "fr")


def test_not_of_an_address_that_is_used() -> None:
    assert found(known_here=True) == ()


def test_not_without_a_near_one() -> None:
    assert found(near=None) == ()
    assert lookalike_address(facts(), Policy()) == ()


def test_not_where_only_a_number_differs() -> None:
    person = Acquaintance(
        address="room12@client.example", near=Contact(address="room1@client.example", mails=12)
    )
    assert lookalike_address(facts("room12@client.example", recollection=recalled(person)), Policy()) == ()
