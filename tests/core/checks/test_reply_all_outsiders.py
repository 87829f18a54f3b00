from typing import Any

from mailguard.core.checks.reply_all_outsiders import reply_all_outsiders
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))


def found(*to: str, **known: Any) -> list[str | None]:
    person = Acquaintance(address="x@rival.example", in_thread=True, **{"added": True, **known})
    made = facts(*to or ("c@corp.example", "x@rival.example"), recollection=recalled(person))
    return [finding.recipient for finding in reply_all_outsiders(made, OURS)]


def test_somebody_else_added_him_and_all_others_are_ours() -> None:
    assert found() == ["x@rival.example"]


def test_not_where_he_wrote_himself_or_was_there_before() -> None:
    assert found(wrote=True) == []
    assert found(added=False) == []


def test_not_where_the_sender_writes_to_him_anyway() -> None:
    assert found(mails=3) == []


def test_not_among_several_outsiders_nor_to_him_alone() -> None:
    assert found("c@corp.example", "x@rival.example", "b@client.example") == []
    assert found("x@rival.example") == []
