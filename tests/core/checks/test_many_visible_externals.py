from mailguard.core.checks.many_visible_externals import many_visible_externals
from mailguard.core.facts import Headers
from mailguard.core.policy import CheckOptions, Policy
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))
CLIENTS = tuple(f"p{number}@client{number}.example" for number in range(11))


def found(named: tuple[str, ...], to: tuple[str, ...] = CLIENTS, policy: Policy = OURS) -> list[str]:
    known = facts(*to, headers=Headers(to=named[:5], cc=named[5:]))
    return [sentence(one, "en") for one in many_visible_externals(known, policy)]


def test_they_all_see_each_other() -> None:
    (said,) = found(CLIENTS)
    assert "11" in said and "Bcc" in said


def test_not_where_they_are_blind_or_few() -> None:
    assert found(("a@corp.example",)) == []
    assert found(CLIENTS[:10], CLIENTS[:10]) == []


def test_a_name_in_the_header_that_the_mail_does_not_go_to_is_none() -> None:
    assert found(CLIENTS, CLIENTS[:10]) == []


def test_not_within_one_firm_nor_among_colleagues() -> None:
    same = tuple(f"p{number}@client.example" for number in range(30))
    assert found(same, same) == []
    ours = tuple(f"p{number}@corp.example" for number in range(30))
    assert found(ours, ours) == []


def test_how_many_is_the_admins_to_say() -> None:
    policy = Policy(internal_domains=("corp.example",), options=CheckOptions(visible_over=2))
    assert found(CLIENTS[:3], CLIENTS[:3], policy) != []


def test_an_answer_to_all_shows_them_nothing_new() -> None:
    headers = Headers(to=CLIENTS[:5], cc=CLIENTS[5:], in_reply_to=("one@client1.example",))
    answer = facts(*CLIENTS, headers=headers, participants=CLIENTS)
    assert many_visible_externals(answer, OURS) == ()
    more = tuple(f"q{number}@supplier{number}.example" for number in range(11))
    headers = Headers(to=CLIENTS, cc=more, in_reply_to=("one@client1.example",))
    grown = facts(*CLIENTS, *more, headers=headers, participants=CLIENTS)
    assert [one.parameters["count"] for one in many_visible_externals(grown, OURS)] == ["11"]


def test_not_where_it_is_his_custom() -> None:
    def of(crowds: int, mails: int) -> bool:
        known = facts(
            *CLIENTS, headers=Headers(to=CLIENTS), recollection=recalled(mails=mails, crowds=crowds)
        )
        return bool(many_visible_externals(known, OURS))

    assert of(0, 0)
    assert of(2, 2), "twice is no custom"
    assert of(9, 200)
    assert not of(10, 200)
    assert not of(3, 12)


def test_it_is_said_in_french() -> None:
    known = facts(*CLIENTS, headers=Headers(to=CLIENTS))
    (one,) = many_visible_externals(known, OURS)
    assert sentence(one, "fr").startswith("11 destinataires externes")
