from mailguard.core.checks.unlikely_recipient import unlikely_recipient
from mailguard.core.findings import Finding
from mailguard.core.policy import CheckOptions, Policy
from mailguard.core.recollection import Acquaintance, Contact
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

USUAL = Contact(address="bob@client.example", mails=14)


def found(per_thousand: float, warn: float = 1.0, usual: Contact | None = None) -> tuple[Finding, ...]:
    person = Acquaintance(address="b@client.example", per_thousand=per_thousand, usual=usual)
    likely = Acquaintance(address="c@corp.example", mails=90)
    policy = Policy(options=CheckOptions(warn_per_hundred=warn))
    known = facts("b@client.example", "c@corp.example", recollection=recalled(person, likely))
    return unlikely_recipient(known, policy)


def test_it_speaks_of_whom_the_evidence_makes_unlikely() -> None:
    assert [finding.recipient for finding in found(9.0)] == ["b@client.example"]


def test_how_often_it_speaks_is_the_admins_to_say() -> None:
    assert found(11.0) == ()
    assert found(11.0, warn=2.0) != ()
    assert found(9.0, warn=0.2) == ()


def test_of_a_sender_who_is_hardly_known_it_is_silent() -> None:
    person = Acquaintance(address="b@client.example", per_thousand=1.0)
    known = facts("b@client.example", recollection=recalled(person, mails=29))
    assert unlikely_recipient(known, Policy()) == ()


def test_without_memory_it_is_silent() -> None:
    assert unlikely_recipient(facts(), Policy()) == ()


def test_it_says_who_is_usual() -> None:
    (one,) = found(1.0, usual=USUAL)
    assert "bob@client.example (14 mails)" in sentence(one, "en")
    assert "bob@client.example (14 messages)" in sentence(one, "fr")
    (other,) = found(1.0)
    assert "b@client.example" in sentence(other, "en")
