from tests.core.recall.evidences import evidence_of
from tests.core.recall.letters import ME, letter, memory


def test_a_habit_is_counted_and_grows_old() -> None:
    recall = memory(*(letter("b@corp.example", day=n) for n in range(5)))
    soon = evidence_of(recall, letter("b@corp.example", day=5), "b@corp.example")
    late = evidence_of(recall, letter("b@corp.example", day=300), "b@corp.example")
    assert soon["habit.count"] == late["habit.count"] > 1
    assert soon["habit.days"] < late["habit.days"]
    assert soon["habit.month"] > late["habit.month"]
    assert soon["habit.new"] == 0


def test_somebody_new_to_the_sender_may_be_known_to_others() -> None:
    recall = memory(
        letter("b@corp.example", sender="x@corp.example"), letter(ME, sender="b@corp.example", day=1)
    )
    found = evidence_of(recall, letter("b@corp.example", day=2), "b@corp.example")
    assert (found["habit.new"], found["known.met"], found["known.sent"]) == (1, 1, 1)
    assert found["habit.days_back"] < 1
    assert evidence_of(recall, letter("new@corp.example", day=2), "new@corp.example")["known.met"] == 0


def test_an_address_one_letter_from_a_contact_is_a_slip() -> None:
    recall = memory(*(letter("marie.dupont@client.example", day=n) for n in range(3)))
    for wrong in (
        "marie.duppont@client.example",
        "arie.dupont@client.example",
        "marie.dupont@cleint.example",
    ):
        found = evidence_of(recall, letter(wrong, day=4), wrong)
        assert found["spelling.slip"] == 1, wrong
        assert found["spelling.habit"] > 1
    other = evidence_of(recall, letter("paul@client.example", day=4), "paul@client.example")
    assert other["spelling.slip"] == 0


def test_a_lonely_outsider_among_colleagues_shows() -> None:
    found = evidence_of(memory(), letter("b@corp.example c@client.example"), "c@client.example")
    assert (found["domain.outside"], found["domain.outsider"]) == (1, 1)
    assert evidence_of(memory(), letter("c@client.example"), "c@client.example")["domain.outsider"] == 0
