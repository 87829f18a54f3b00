from mailguard.core.checks.new_domain_in_thread import new_domain_in_thread
from mailguard.core.facts import Headers
from mailguard.core.policy import Policy
from tests.facts import facts

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
