from mailguard.core.recall.mistyping import misspelt, near_domain, slips
from mailguard.core.recall.people import Person
from mailguard.core.recall.scene import Scene
from tests.core.recall.letters import ME, letter, memory, reading


def scene(to: str) -> Scene:
    """A mail to somebody, by a sender who knows two people; a third is known to a colleague."""
    recall = memory(
        letter("marie.durand@client.example"),
        letter("paul.petit@client.example", day=1),
        letter("marie.durant@client.example", sender="eve@corp.example", day=2),
    )
    return Scene(recall, reading(letter(to, day=3)))


def address(one: Person | None) -> str:
    """Whose it is."""
    return one.address if one else ""


def test_a_slip_is_of_the_senders_own_contact_first() -> None:
    one = scene("marie.duran@client.example")
    assert len(slips(one, one.recipients[0])) == 2
    assert address(misspelt(one, one.recipients[0])) == "marie.durand@client.example"


def test_a_slip_in_the_first_letters_is_found_by_the_last() -> None:
    one = scene("apul.petit@client.example")
    assert address(misspelt(one, one.recipients[0])) == "paul.petit@client.example"


def test_somebody_else_is_no_slip() -> None:
    one = scene("lea.martin@client.example")
    assert misspelt(one, one.recipients[0]) is None


def test_a_domain_one_letter_away_from_one_that_is_written_to() -> None:
    one = scene(ME)
    assert near_domain(one, "cliemt.example")
    assert not near_domain(one, "other.example")
