from mailguard.core.checks.new_domain_in_thread import new_domain_in_thread
from mailguard.core.facts import Headers
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))
REPLY = Headers(in_reply_to=("one@client.example",))
FAMILIAR = ("b@client.example", "c@corp.example")


def found(*to: str, headers: Headers = REPLY, participants: tuple[str, ...] = FAMILIAR) -> list[str | None]:
    known = facts(*to, headers=headers, participants=participants)
    return [finding.recipient for finding in new_domain_in_thread(known, OURS)]


def test_a_firm_that_had_no_part() -> None:
    assert found("b@client.example", "x@rival.example", "y@rival.example") == ["x@rival.example"]


def test_what_cannot_be_understood_is_such_a_one() -> None:
    assert found("a%b@corp.example") == ["a%b@corp.example"]


def test_not_a_colleague_nor_a_new_person_of_the_same_firm() -> None:
    assert found("new@corp.example", "other@client.example", "third@mail.client.example") == []


def test_it_is_silent_where_it_does_not_know() -> None:
    assert found("x@rival.example", participants=()) == []
    assert found("x@rival.example", headers=Headers()) == []


def test_of_a_well_known_sender_only_where_the_other_evidence_finds_it_odd() -> None:
    def speaks(per_thousand: float, *, mails: int = 200) -> bool:
        person = Acquaintance(address="x@rival.example", suspicion=0.1, per_thousand=per_thousand)
        recollection = recalled(person, mails=mails)
        known = facts("x@rival.example", headers=REPLY, participants=FAMILIAR, recollection=recollection)
        return bool(new_domain_in_thread(known, OURS))

    assert speaks(5.0)
    assert not speaks(200.0)
    assert speaks(200.0, mails=3)


def test_it_is_said_in_both_languages() -> None:
    (one,) = new_domain_in_thread(facts("x@rival.example", headers=REPLY, participants=FAMILIAR), OURS)
    assert "rival.example" in sentence(one, "en")
    assert "rival.example" in sentence(one, "fr")
    assert sentence(one, "en") != sentence(one, "fr")
