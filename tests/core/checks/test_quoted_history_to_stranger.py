from mailguard.core.checks.quoted_history_to_stranger import quoted_history_to_stranger
from mailguard.core.facts import Body
from mailguard.core.policy import Policy
from mailguard.core.quoted import own_text
from tests.facts import facts

OURS = Policy(internal_domains=("corp.example",))
HISTORY = "The price is far below what we told them, and they must not hear of the second offer. " * 4

ENGLISH = f"""Please see below.

-----Original Message-----
From: Carl Boss <carl@corp.example>
Sent: Monday, November 16, 2026 9:12 AM
To: Anne Able <a@corp.example>
Subject: Prices

{HISTORY}
"""
FRENCH = f"""Voir ci-dessous.

De : Carl Boss <carl@corp.example>
Envoyé : lundi 16 novembre 2026 09:12
À : Anne Able <a@corp.example>
Objet : Prix

{HISTORY}
"""

WROTE = (
    "Voir ci-dessous.\n\nLe lun. 16 nov. 2026 à 09:12, Carl Boss <carl@corp.example> a écrit :\n\n"
    + "".join(f"> {line}\n" for line in HISTORY.split(". "))
)


def found(
    *to: str, text: str = ENGLISH, participants: tuple[str, ...] = ("carl@corp.example",)
) -> list[str | None]:
    body = Body(text=text, own_text=own_text(text))
    known = facts(*to, body=body, participants=participants)
    return [finding.recipient for finding in quoted_history_to_stranger(known, OURS)]


def test_our_own_words_go_to_an_outsider() -> None:
    assert found("b@client.example", "carl@corp.example") == ["b@client.example"]
    assert found("b@client.example", text=FRENCH) == ["b@client.example"]
    assert found("b@client.example", text=WROTE, participants=()) == ["b@client.example"]


def test_the_quoted_header_alone_tells() -> None:
    assert found("b@client.example", participants=()) == ["b@client.example"]


def test_not_where_an_outsider_had_part_in_it() -> None:
    assert found("b@client.example", participants=("carl@corp.example", "x@client.example")) == []
    outside = ENGLISH.replace("carl@corp.example", "b@client.example")
    assert found("b@client.example", text=outside, participants=()) == []
    for text in (FRENCH, WROTE):
        outside = text.replace("carl@corp.example", "b@client.example")
        assert found("b@client.example", text=outside, participants=()) == []


def test_not_among_colleagues() -> None:
    assert found("c@corp.example") == []


def test_not_where_nothing_or_next_to_nothing_is_quoted() -> None:
    assert found("b@client.example", text="Please see the offer. " * 30) == []
    assert found("b@client.example", text=ENGLISH.replace(HISTORY, "Yes.")) == []
