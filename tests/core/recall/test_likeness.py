import pytest

from mailguard.core.recall.likeness import name_fit, own_name
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


def test_an_address_that_the_text_spells_out_and_its_organisation() -> None:
    text = "Please look at this.\n\nReported-by: Lea Martin <lea@firm.example>\n"
    quoted = text + "\n-----Original Message-----\nFrom: Paul <paul@other.example>\n\nYes."
    recall = memory()
    spoken = evidence_of(recall, letter("lea@firm.example", text), "lea@firm.example")
    assert (spoken["text.address"], spoken["spoken.domain"], spoken["quoted.domain"]) == (1, 1, 0)
    other = evidence_of(recall, letter("eve@other.example", quoted), "eve@other.example")
    assert (other["text.address"], other["spoken.domain"], other["quoted.domain"]) == (0, 0, 1)
    colleague = evidence_of(recall, letter("eve@corp.example", quoted), "eve@corp.example")
    assert (colleague["spoken.domain"], colleague["quoted.domain"]) == (0, 0)


def test_a_name_that_stands_anywhere_in_the_text() -> None:
    text = "As agreed.\n\n> Lea Martin will come.\n"
    named = evidence_of(memory(), letter("lea.martin@firm.example", text), "lea.martin@firm.example")
    other = evidence_of(memory(), letter("eve.petit@firm.example", text), "eve.petit@firm.example")
    assert named["text.name"] > other["text.name"] == 0


def test_how_each_stands_beside_the_others() -> None:
    recall = memory(*(letter("bob@corp.example", day=day) for day in range(9)))
    one = letter("bob@corp.example eve@x.example lea@y.example", day=10)
    bob, eve = (evidence_of(recall, one, who) for who in ("bob@corp.example", "eve@x.example"))
    assert bob["beside.most"] < 0 < eve["beside.most"]
    assert bob["beside.least"] <= bob["beside.score"] <= bob["beside.most"]
    alone = evidence_of(recall, letter("bob@corp.example", day=10), "bob@corp.example")
    assert alone["beside.most"] == alone["beside.least"] == -9


@pytest.mark.parametrize(
    ("to", "own"),
    [
        ("anna.berg@mail.example", 1),
        ("bergfamily@mail.example", 1),
        ("anna.stein@mail.example", 0.5),
        ("paul.stein@mail.example", 0),
        ("1@mail.example", 0),
        # A colleague of the same name is nobody's home.
        ("anna.berg@corp.example", 0),
    ],
)
def test_the_senders_own_name_in_an_address_outside(to: str, own: float) -> None:
    assert evidence_of(memory(), letter(to), to)["own.name"] == own


def test_the_senders_surname_by_initial_by_beginning_and_by_a_displayed_name() -> None:
    sender, brother = Person("jdasovich@corp.example"), Person("sunny@mail.example")
    assert own_name(sender, Person("dasovich.home@mail.example")) == 0
    sender.named = ("jeff", "dasovich")
    assert own_name(sender, Person("dasovich.home@mail.example")) == 1
    assert own_name(sender, Person("daso99@mail.example")) == 0.7
    assert own_name(sender, Person("jeff99@mail.example")) == 0.5
    assert own_name(sender, brother) == 0
    brother.named = ("mark", "dasovich")
    assert own_name(sender, brother) == 1
