from mailguard.core.checks.lookalike_domain import lookalike_domain
from mailguard.core.patterns import compile_patterns
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

PARTNERS = compile_patterns(["@lawfirm.example", "sue@partner.example"], {})
OURS = Policy(internal_domains=("corp.example", "*.corp.example"), groups={"partners": PARTNERS})


def found(
    *to: str, participants: tuple[str, ...] = (), person: Acquaintance | None = None
) -> list[str | None]:
    recollection = recalled(*([person] if person else []))
    known = facts(*to, participants=participants, recollection=recollection)
    return [finding.recipient for finding in lookalike_domain(known, OURS)]


def test_like_ours() -> None:
    assert found("boss@c0rp.example") == ["boss@c0rp.example"]
    assert found("boss@corp.exampel") == ["boss@corp.exampel"]


def test_like_one_that_the_rules_name() -> None:
    assert found("x@lawfirrn.example", "y@partnr.example") == ["x@lawfirrn.example", "y@partnr.example"]


def test_like_another_recipients_or_one_of_the_conversation() -> None:
    assert found("a@client.example", "b@cliemt.example") == ["a@client.example", "b@cliemt.example"]
    assert found("b@cliemt.example", participants=("a@client.example",)) == ["b@cliemt.example"]


def test_like_one_that_the_memory_knows() -> None:
    person = Acquaintance(address="b@cliemt.example", near_domain="client.example")
    assert found("b@cliemt.example", person=person) == ["b@cliemt.example"]


def test_letters_of_another_script() -> None:
    assert found("boss@\u0441orp.example") == ["boss@\u0441orp.example"]


def test_not_ours_themselves_nor_what_is_below() -> None:
    assert found("boss@corp.example", "x@mail.corp.example", "y@LawFirm.example.") == []


def test_not_a_domain_that_is_known() -> None:
    person = Acquaintance(address="b@cliemt.example", domain_known=True)
    assert found("b@cliemt.example", participants=("a@client.example",), person=person) == []


def test_not_a_stranger_like_nobody() -> None:
    assert found("b@durand.example", "x@other.test") == []


def test_it_names_both() -> None:
    (one,) = lookalike_domain(facts("boss@c0rp.example"), OURS)
    assert "c0rp.example" in sentence(one, "en") and "looks like corp.example" in sentence(one, "en")
    assert "corp.example" in sentence(one, "fr")
