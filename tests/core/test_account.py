"""As whom a login may send."""

import pytest

from mailguard.core.account import Account

ACCOUNT = Account(login="a", addresses=("a@corp.example", "news-*@corp.example", "@lists.example"))


@pytest.mark.parametrize(
    "sender", ["a@corp.example", "A@Corp.Example", "news-may@corp.example", "any@lists.example", ""]
)
def test_own_addresses(sender: str) -> None:
    assert ACCOUNT.may_send_as(sender)


@pytest.mark.parametrize(
    "sender",
    [
        "b@corp.example",
        "xa@corp.example",
        "news@corp.example",
        "any@sub.lists.example",
        "any%x@lists.example",
        "a@corp.example.evil.example",
    ],
)
def test_others_addresses(sender: str) -> None:
    assert not ACCOUNT.may_send_as(sender)


def test_a_pattern_knows_no_wildcard_but_the_star() -> None:
    assert not Account(login="a", addresses=("[ab]@x.example", "?@x.example")).may_send_as("a@x.example")
