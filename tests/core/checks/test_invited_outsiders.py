import pytest

from mailguard.core.checks.invited_outsiders import MOST, invited_outsiders
from mailguard.core.facts import Body
from mailguard.core.invitation import Invitation
from mailguard.core.policy import Policy
from mailguard.core.recollection import NOTHING, Recollection
from mailguard.core.wording import sentence
from tests.facts import facts

OURS = Policy(internal_domains=("corp.example",))
ME = "a@corp.example"


def found(
    *people: str,
    to: tuple[str, ...] = ("b@client.example",),
    by: tuple[str, ...] = (ME,),
    known: Recollection = NOTHING,
    own: tuple[str, ...] | None = None,
    language: str = "en",
) -> list[str]:
    invitation = Invitation(people=(*by, *people), by=by)
    message = facts(*to, body=Body(invitation=invitation), recollection=known, own=own)
    return [sentence(one, language) for one in invited_outsiders(message, OURS)]


@pytest.mark.parametrize(("language", "word"), [("en", "invitation"), ("fr", "L'invitation")])
def test_a_stranger_who_gets_it_from_the_calendar_alone(language: str, word: str) -> None:
    (said,) = found("b@client.example", "eve@other.example", language=language)
    assert word in said and "eve@other.example" in said


def test_not_who_gets_the_mail_nor_a_colleague() -> None:
    assert found("b@client.example", "c@corp.example") == []


def test_not_somebody_whom_the_sender_knows() -> None:
    known = Recollection(invited=frozenset({"eve@other.example"}))
    assert found("eve@other.example", known=known) == []


def test_not_another_address_of_the_senders_own() -> None:
    assert found("me@home.example", own=("me@home.example",)) == []


def test_anothers_invitation_that_is_passed_on_reaches_nobody_new() -> None:
    assert found("eve@other.example", by=("host@other.example",), to=("c@corp.example",)) == []
    assert found("eve@other.example", by=("boss@corp.example",)) != []
    assert found("eve@other.example", by=()) != []


def test_of_very_many_the_first_are_told() -> None:
    assert len(found(*(f"p{number}@other.example" for number in range(50)))) == MOST
