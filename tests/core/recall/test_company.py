from mailguard.core.recall.company import lurks
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.scene import Scene
from tests.core.recall.evidences import evidence_of
from tests.core.recall.letters import ME, letter, memory, reading

TEAM = "b@corp.example c@corp.example"


def test_who_is_always_with_whom() -> None:
    recall = memory(
        *(letter(TEAM, day=n) for n in range(6)), *(letter("d@corp.example", day=n + 6) for n in range(6))
    )
    usual = evidence_of(recall, letter(TEAM, day=20), "c@corp.example")
    odd = evidence_of(recall, letter("b@corp.example d@corp.example", day=20), "d@corp.example")
    assert usual["company.share"] == 1
    assert odd["company.share"] == 0
    assert usual["company.fit"] == 1
    assert odd["company.instead"] == 1


def test_this_very_conversation_proves_nothing_of_habit() -> None:
    recall = memory(*(letter(TEAM, subject="Lunch", day=n) for n in range(6)))
    assert (
        evidence_of(recall, letter(TEAM, subject="Re: Lunch", day=7), "c@corp.example")["company.share"] == 0
    )


def test_somebody_new_in_a_thread_is_not_in_it() -> None:
    recall = memory(
        letter(ME, sender="b@corp.example", cc="c@corp.example", subject="Turbine", message_id="1")
    )
    answer = letter(TEAM + " x@client.example", subject="Re: Turbine", answers=["1"], day=1)
    assert evidence_of(recall, answer, "c@corp.example")["thread.in"] == 1
    assert evidence_of(recall, answer, "b@corp.example")["thread.answered"] == 1
    assert evidence_of(recall, answer, "x@client.example")["thread.in"] == 0
    without_author = letter("c@corp.example", subject="Re: Turbine", answers=["1"], day=1)
    assert evidence_of(recall, without_author, "c@corp.example")["thread.author_gone"] == 1


def _lurks(recall: Recall, to: str) -> bool:
    scene = Scene(recall, reading(letter(to, subject="Re: Turbine", answers=["1", "2"], day=2)))
    return any(lurks(scene, person) for person in scene.recipients)


def test_an_outsider_brought_in_by_the_mail_that_is_answered() -> None:
    first = letter(TEAM, subject="Turbine", message_id="1")
    added = letter(
        ME, sender="b@corp.example", cc="c@corp.example x@client.example", answers=["1"], message_id="2"
    )
    assert _lurks(memory(first, added), TEAM + " x@client.example")
    # He wrote in it himself, or somebody else from outside is on it too, or he was there all along.
    wrote = letter(ME, sender="x@client.example", cc=TEAM, answers=["1"], message_id="2")
    assert not _lurks(memory(first, wrote), TEAM + " x@client.example")
    assert not _lurks(memory(first, added), TEAM + " x@client.example y@client.example")
    with_him = letter(TEAM + " x@client.example", subject="Turbine", message_id="1")
    assert not _lurks(memory(with_him, added), TEAM + " x@client.example")
