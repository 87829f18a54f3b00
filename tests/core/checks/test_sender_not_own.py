"""From and Sender against the addresses of the login."""

import pytest

from mailguard.core.checks.sender_not_own import sender_not_own
from mailguard.core.facts import Headers
from mailguard.core.policy import Policy
from tests.facts import facts

OWN = ("a@corp.example", "news-*@corp.example", "@lab.example")


def found(*from_: str, sender: tuple[str, ...] = (), own: tuple[str, ...] | None = OWN) -> list[str]:
    """Which addresses are not the login's own."""
    known = facts(headers=Headers(from_=from_, sender=sender), own=own)
    return [finding.parameters["address"] for finding in sender_not_own(known, Policy())]


@pytest.mark.parametrize(
    "address", ["a@corp.example", "A@Corp.Example.", "news-7@corp.example", "x@lab.example"]
)
def test_its_own_addresses_in_any_spelling_are_quiet(address: str) -> None:
    assert found(address) == []


@pytest.mark.parametrize(
    "address", ["boss@corp.example", "a@corp.example.evil.example", "a", "@x:a@corp.example"]
)
def test_another_address_is_found_and_what_is_none(address: str) -> None:
    assert found(address) == [address]


def test_each_is_found_once_and_sender_counts_too() -> None:
    assert found("a@corp.example", "b@x", "b@x", sender=("c@x",)) == ["b@x", "c@x"]


def test_without_a_login_anybody_may_be_spoken_for() -> None:
    assert found("boss@corp.example", own=None) == []


def test_a_login_without_addresses_has_none_of_its_own() -> None:
    assert found("a@corp.example", own=()) == ["a@corp.example"]
