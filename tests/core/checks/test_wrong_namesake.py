from typing import Any

from mailguard.core.checks.wrong_namesake import wrong_namesake
from mailguard.core.findings import Finding
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance, Contact
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

DURAND, DUPONT = "m.durand@client.example", "m.dupont@client.example"


def found(*to: str, usual: int = 14, **known: Any) -> tuple[Finding, ...]:
    person = Acquaintance(address=DURAND, usual=Contact(address=DUPONT, mails=usual), **known)
    other = [Acquaintance(address=DUPONT, mails=usual)] if DUPONT in to else []
    return wrong_namesake(facts(*to, recollection=recalled(person, *other)), Policy())


def test_the_rarely_used_one_of_two() -> None:
    (one,) = found(DURAND)
    assert one.recipient == DURAND
    assert DUPONT in sentence(one, "en") and "14" in sentence(one, "en")
    assert DUPONT in sentence(one, "fr")


def test_not_where_the_usual_one_gets_it_too() -> None:
    assert found(DURAND, DUPONT) == ()


def test_not_where_both_are_usual() -> None:
    assert found(DURAND, mails=2) == ()
    assert found(DURAND, back=1) == ()
    assert found(DURAND, usual=7) == ()


def test_not_in_a_conversation_of_his() -> None:
    assert found(DURAND, in_thread=True) == ()


def test_without_memory_it_is_silent() -> None:
    assert wrong_namesake(facts(DURAND), Policy()) == ()
