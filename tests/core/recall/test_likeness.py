import pytest

from mailguard.core.recall.likeness import name_fit
from mailguard.core.recall.people import Person
from tests.core.recall.evidences import evidence_of
from tests.core.recall.letters import letter, memory


@pytest.mark.parametrize(
    ("address", "words", "least", "most"),
    [
        ("marie.dupont@x.example", "dupont marie", 1, 1),
        ("marie.dupont@x.example", "dupont paul", 0.5, 0.7),
        ("marie.dupont@x.example", "marie durand", 0.3, 0.4),
        ("mdupont@x.example", "marie dupont", 0.7, 0.7),
        ("marie.dupont@x.example", "paul durand", 0, 0),
        ("info@x.example", "", 0, 0),
    ],
)
def test_how_well_words_name_a_person(address: str, words: str, least: float, most: float) -> None:
    assert least <= name_fit(Person(address), frozenset(words.split())) <= most


def test_the_namesake_with_the_habit_fits_better() -> None:
    recall = memory(
        *(letter("jean.martin@client.example", "Bonjour Jean,\nle devis", day=n) for n in range(8)),
        letter("jean.moreau@other.example", "Bonjour Jean,\nle sport", day=9),
    )
    wrong = letter("jean.moreau@other.example", "Bonjour Jean,\nle devis", day=10)
    found = evidence_of(recall, wrong, "jean.moreau@other.example")
    assert found["better.score"] > 1
    assert found["words.absent"] > 0
    right = letter("jean.martin@client.example", "Bonjour Jean,\nle devis", day=10)
    assert evidence_of(recall, right, "jean.martin@client.example")["better.score"] < 0


def test_a_greeting_is_somebody_elses() -> None:
    recall = memory(*(letter("robert.stone@corp.example", "Bob,\nthe numbers", day=n) for n in range(3)))
    found = evidence_of(
        recall, letter("carol.king@corp.example", "Bob,\nmore", day=4), "carol.king@corp.example"
    )
    assert found["greeting.there"] == 1
    assert found["greeting.fit"] == 0
    assert found["greeting.called_absent"] > 0.5
    own = evidence_of(
        recall, letter("robert.stone@corp.example", "Bob,\nmore", day=4), "robert.stone@corp.example"
    )
    assert own["greeting.fit"] == 0.9
    assert own["greeting.called"] > 0.5


def test_the_author_of_what_is_quoted_is_recognised() -> None:
    text = "Agreed.\n\n-----Original Message-----\nFrom: Dupont, Marie\nTo: Berg, Anna\n\nShall we?"
    found = evidence_of(memory(), letter("marie.dupont@client.example", text), "marie.dupont@client.example")
    assert found["quoted.author"] == 1
    other = evidence_of(memory(), letter("paul.durand@client.example", text), "paul.durand@client.example")
    assert other["quoted.author"] == 0
    assert other["quoted.gone"] == 1
