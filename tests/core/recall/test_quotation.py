import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.recall import quotation

OUTLOOK = """Agreed, let us do that.

-----Original Message-----
From: Dupont, Marie [mailto:m.dupont@client.example]
Sent: Monday, January 5, 2026 9:00
To: Berg, Anna;
 Stone, Paul
Cc: legal@corp.example
Subject: Terms

Here they are."""
FRENCH = """D'accord.

De : Marie Dupont <m.dupont@client.example>
Envoyé : lundi 5 janvier 2026
À : Anna Berg
Objet : Contrat

Bonjour"""
GMAIL = """Fine with me.

On Mon, 5 Jan 2026 at 09:00, Marie Dupont <m.dupont@client.example> wrote:
> Shall we?
> Marie
Second thought."""
APPLE = "Merci.\n\nLe 5 janv. 2026 à 09:00, Marie Dupont <m.dupont@client.example> a écrit :\n\n> Voici."
NOTES = (
    "Yes.\n\n\n\nMarie Dupont\n01/05/2026 09:00 AM\nTo: Anna Berg/PAR/CORP@CORP\ncc:\nSubject: Terms\n\nok?"
)


@pytest.mark.parametrize("text", [OUTLOOK, FRENCH, GMAIL, APPLE, NOTES])
def test_who_wrote_what_is_quoted_is_known_and_is_not_the_senders_text(text: str) -> None:
    read = quotation.read(text)
    assert {"marie", "dupont"} <= read.blocks[0].author
    assert "voici" not in read.own.lower()
    assert "shall" not in read.own.lower()


def test_to_and_cc_of_the_quoted_header_are_known_over_folded_lines() -> None:
    block = quotation.read(OUTLOOK).blocks[0]
    assert {"anna", "berg", "stone", "paul", "legal"} <= block.others
    assert "m.dupont@client.example" in quotation.read(OUTLOOK).addresses


def test_words_between_quoted_lines_are_the_senders() -> None:
    assert "Second thought." in quotation.read(GMAIL).own


@pytest.mark.parametrize(
    "text", ["From now on we ship daily.", "On Monday I wrote to him.", "Le plan est simple."]
)
def test_a_sentence_is_no_quotation(text: str) -> None:
    assert quotation.read(text).own == text
    assert quotation.read(text).blocks == ()


@given(st.text(alphabet=st.sampled_from(list("> \n:-_On wrFm,@.a1/é\x00\u2028")), max_size=400))
def test_no_text_makes_it_fail(text: str) -> None:
    assert len(quotation.read(text).own) <= len(text) + 1
