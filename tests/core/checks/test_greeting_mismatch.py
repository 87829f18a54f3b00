import pytest

from mailguard.core.checks.greeting_mismatch import greeting_mismatch
from mailguard.core.facts import Body, Headers
from mailguard.core.policy import Policy
from mailguard.core.recollection import Contact
from mailguard.core.wording import sentence
from tests.facts import facts, recalled


def found(text: str, *to: str, header: str = "") -> bool:
    headers = Headers(fields={"to": (header,)} if header else {})
    body = Body(text=text, own_text=text)
    return bool(greeting_mismatch(facts(*to, headers=headers, body=body), Policy()))


@pytest.mark.parametrize(
    "text",
    [
        "Dear Anne,\n\nHere are the figures.",
        "Hi Anne, here are the figures.",
        "Bonjour Anne,\n\nVoici les chiffres.",
        "Chère Anne,\nvoici",
        "Hallo Anne,\n",
        "Liebe Anne,\n",
        "Hola Anne,\n",
        "Ciao Anne,\n",
        "Beste Anne,\n",
        "Bonjour Madame Lefèvre,\n",
        "Cher Monsieur Lefèvre,\n\nVeuillez trouver",
        "Salut Anne, voici les chiffres.",
        "Salut Jean-Marc,\n",
        "Bonsoir Anne,\n",
        "Anne,\n\nsee below",
    ],
)
def test_it_is_somebody_else(text: str) -> None:
    assert found(text, "paul.martin@client.example")
    assert found(text, "paul.martin@client.example", "bob.miller@client.example")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Dear Anne,", "anne.able@client.example"),
        ("Dear Anne,", "able-anne@client.example"),
        ("Hi Bob,", "robert.miller@client.example"),
        ("Hi Bill,", "william.smith@client.example"),
        ("Bonjour Hélène,", "helene.roux@client.example"),
        ("Chère Madame Roux,", "helene.roux@client.example"),
        ("Salut Jean-Paul,", "jp.durand@client.example"),
        ("Salut Jean-Paul,", "jean-paul.durand@client.example"),
        ("Bonjour Anne-Marie,", "annemarie.roux@client.example"),
        ("Bonjour Monsieur Lefèvre,", "j.lefevre@client.example"),
        ("Hi John,", "jsmith@client.example"),
        ("Dear Smith,", "jsmith@client.example"),
    ],
)
def test_it_is_the_recipient(text: str, address: str) -> None:
    assert not found(text, address)


def test_the_name_in_the_header_counts() -> None:
    assert not found("Dear Anne,", "xy17@client.example", header="Anne Able <xy17@client.example>")
    assert found("Dear Paul,", "xy17@client.example", header="Anne Able <xy17@client.example>")


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo\nthree",
        "Grüße aus dem Büro,",
        "Many greetings from Rome:",
        "yesterday,",
        "Agenda\n\n1. Budget",
        "Paris\nRome",
        "Dear all,",
        "Hello team,",
        "Bonjour à tous,",
        "Bonjour Madame,",
        "Madame, Monsieur,",
        "Chers collègues,",
        "Chère cliente,",
        "Sehr geehrte Damen und Herren,",
        "Gentile Signora,",
        "Bonjour et bonne année,",
        "Bonjour,\n\nVoici les chiffres.",
        "Hi,",
        "Good morning",
        "Please find attached.",
        "",
        "Dear Sir,",
    ],
)
def test_nobody_is_named(text: str) -> None:
    assert not found(text, "paul.martin@client.example")


@pytest.mark.parametrize("address", ["info@client.example", "sales-team@client.example", "jd@client.example"])
def test_it_is_silent_where_it_cannot_know(address: str) -> None:
    assert not found("Dear Anne,", address)
    assert not found("Dear Anne,", "paul.martin@client.example", address)


def test_of_a_sender_who_is_well_known_it_says_who_is_meant() -> None:
    body = Body(text="Dear Anne,", own_text="Dear Anne,")
    anne = Contact(address="anne.able@client.example", mails=14)
    known = facts("paul.martin@client.example", body=body, recollection=recalled(greeted=anne))
    (one,) = greeting_mismatch(known, Policy())
    assert "anne.able@client.example (14 mails)" in sentence(one, "en")
    assert "anne.able@client.example (14 messages)" in sentence(one, "fr")
    stranger = facts("paul.martin@client.example", body=body, recollection=recalled())
    assert greeting_mismatch(stranger, Policy()) == ()
    new = facts("paul.martin@client.example", body=body, recollection=recalled(mails=49))
    assert greeting_mismatch(new, Policy()) != ()


def test_the_only_recipient_is_named_in_the_finding() -> None:
    body = Body(text="Dear Anne,", own_text="Dear Anne,")
    (one,) = greeting_mismatch(facts("paul.martin@client.example", body=body), Policy())
    assert one.recipient == "paul.martin@client.example"
    two = facts("paul.martin@client.example", "bob.miller@client.example", body=body)
    assert greeting_mismatch(two, Policy())[0].recipient is None


def test_who_is_greeted_by_the_name_in_his_address_needs_no_other() -> None:
    # The header calls him something else, and nobody else can be called so: silent all the same.
    people = ("anne.able@client.example", "paul.martin@client.example")
    assert not found("Dear Anne,", *people, header="Carla <anne.able@client.example>")
    assert found("Dear Carla,", *people)
    assert not found("Dear Carla,", *people, header="Carla <anne.able@client.example>")
