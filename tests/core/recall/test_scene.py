from mailguard.core.recall.scene import Scene
from tests.core.recall.letters import ME, letter, memory, reading


def test_everything_not_of_the_senders_organisation_is_outside() -> None:
    one = reading(letter("b@corp.example c@client.example"))
    outside = Scene(memory(), one).outside
    assert list(outside.values()) == [False, True]
    assert list(Scene(memory(), one, ["client.example"]).outside.values()) == [True, False]


def test_two_users_of_one_webmail_are_strangers() -> None:
    one = reading(letter("b@gmail.com", sender="a@gmail.com"))
    assert list(Scene(memory(), one).outside.values()) == [True]


def test_a_thread_is_found_by_ids_else_by_subject() -> None:
    recall = memory(
        letter("b@corp.example", subject="Turbine", message_id="1"),
        letter(ME, sender="b@corp.example", subject="Re: Turbine", message_id="2", answers=["1"], day=1),
    )
    by_id = Scene(recall, reading(letter("b@corp.example", answers=["2"], day=2))).thread
    assert (by_id.found, by_id.answered, by_id.mails) == (1, 2, (2, 1))
    by_subject = Scene(recall, reading(letter("b@corp.example", subject="RE: turbine", day=2))).thread
    assert (by_subject.found, by_subject.answered) == (2, 2)
    assert Scene(recall, reading(letter("b@corp.example", subject="RE: turbine", day=90))).thread.found == 0
    stranger = letter("b@corp.example", sender="x@corp.example", subject="Turbine", day=2)
    assert Scene(recall, reading(stranger)).thread.found == 0


def test_mail_about_the_same_votes_for_its_recipients() -> None:
    recall = memory(
        *(letter("wind@x.example", "turbine blades contract", day=n) for n in range(3)),
        *(letter("food@x.example", "lunch pasta menu", day=n + 3) for n in range(3)),
    )
    votes = Scene(recall, reading(letter("wind@x.example", "the turbine contract", day=9))).votes
    numbers = recall.people.numbers
    assert votes[numbers["wind@x.example"]] > 0.7
    assert votes.get(numbers["food@x.example"], 0) < 0.3


def test_to_judge_changes_nothing() -> None:
    recall = memory(letter("b@corp.example", "turbine"))
    before = (dict(recall.people.numbers), len(recall), len(recall.habits))
    scene = Scene(
        recall, reading(letter("new@x.example b@corp.example", "turbine", sender="other@corp.example"))
    )
    assert scene.votes == {}
    assert (dict(recall.people.numbers), len(recall), len(recall.habits)) == before
