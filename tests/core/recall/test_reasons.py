from mailguard.core.recall.letter import Letter
from mailguard.core.recall.people import Person
from mailguard.core.recall.reasons import Reasons, reasons
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.scene import Scene
from tests.core.recall.letters import ME, letter, memory, reading


def _why(recall: Recall, one: Letter, address: str) -> Reasons:
    scene = Scene(recall, reading(one))
    person: Person = next(person for person in scene.recipients if person.address == address)
    return reasons(scene, person)


def test_the_usual_one_of_a_group_and_his_namesake_are_named() -> None:
    recall = memory(
        *(letter("paul@corp.example m.dupont@client.example", day=n) for n in range(14)),
        letter("m.durand@client.example", day=15),
    )
    why = _why(recall, letter("paul@corp.example m.durand@client.example", day=16), "m.durand@client.example")
    assert (why.group_mails, why.group_usual, why.group_usual_mails) == (14, "m.dupont@client.example", 14)
    assert (why.mails, why.met, why.group_own) == (1, True, 0)


def test_the_like_name_that_fits_better_is_named() -> None:
    recall = memory(
        *(letter("jean.martin@client.example", "le devis", day=n) for n in range(8)),
        letter("jean.moreau@other.example", "le sport", day=9),
    )
    why = _why(recall, letter("jean.moreau@other.example", "le devis", day=10), "jean.moreau@other.example")
    assert (why.like, why.like_mails) == ("jean.martin@client.example", 8)


def test_a_greeting_that_is_nobodys_and_a_slip_are_named() -> None:
    recall = memory(*(letter("marie.dupont@client.example", day=n) for n in range(3)))
    why = _why(
        recall, letter("marie.duppont@client.example", "Dear Karl,", day=4), "marie.duppont@client.example"
    )
    assert why.misspelt == "marie.dupont@client.example"
    assert why.greeted == "karl"
    assert not why.met


def test_who_brought_an_outsider_in_is_named() -> None:
    recall = memory(
        letter("b@corp.example", message_id="1"),
        letter(ME, sender="b@corp.example", cc="x@client.example", message_id="2", answers=["1"], day=1),
    )
    answer = letter("b@corp.example x@client.example", answers=["1", "2"], day=2)
    assert _why(recall, answer, "x@client.example").brought_in_by == "b@corp.example"
