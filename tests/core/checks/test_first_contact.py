from mailguard.core.checks.first_contact import first_contact
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))
NEW = Acquaintance(address="b@client.example")


def found(
    *people: Acquaintance, to: tuple[str, ...] = ("b@client.example",), mails: int = 200
) -> list[str | None]:
    known = facts(*to, recollection=recalled(*people, mails=mails))
    return [finding.recipient for finding in first_contact(known, OURS)]


def test_the_first_mail_to_somebody_outside() -> None:
    assert found(NEW) == ["b@client.example"]
    assert found(NEW, to=("B@Client.example", "b@client.example")) == ["B@Client.example"]


def test_not_where_mail_went_either_way_before() -> None:
    assert found(Acquaintance(address="b@client.example", mails=1)) == []
    assert found(Acquaintance(address="b@client.example", back=1)) == []


def test_not_among_colleagues() -> None:
    assert found(Acquaintance(address="c@corp.example"), to=("c@corp.example",)) == []


def test_not_for_a_sender_who_is_new_himself() -> None:
    assert found(NEW, mails=19) == []
    assert found() == []
