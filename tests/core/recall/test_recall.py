from hypothesis import given, settings

from mailguard.core.recall.observation import Observation
from mailguard.core.recall.recall import Recall
from tests.core.recall.letters import ME, START, letter, memory, reading
from tests.core.recall.test_observation import OBSERVATIONS


def test_a_thread_is_found_by_the_ids_it_answers() -> None:
    recall = memory(
        letter("b@x.example", message_id="1"),
        letter(ME, sender="b@x.example", message_id="2", answers=["1"], day=1),
    )
    answered = recall.answered(reading(letter("b@x.example", answers=["1", "2"], day=2)).observation)
    assert answered == 2
    assert list(recall.chain(answered)) == [2, 1]


def test_a_group_that_is_written_to_again_is_kept_once() -> None:
    recall = memory(*(letter("b@x.example c@x.example d@x.example", day=n) for n in range(3)))
    assert recall.group(1) == recall.group(3)
    assert recall.group(1) is recall.group(3)


def test_an_erased_person_is_found_by_nothing() -> None:
    recall = memory(letter("b@x.example c@x.example"), letter(ME, sender="b@x.example", day=1))
    number = recall.people.numbers["b@x.example"]
    recall.erase("b@x.example")
    assert "b@x.example" not in recall.people.numbers
    assert number not in recall.habits
    assert number not in recall.habits[recall.people.numbers[ME]].contacts
    assert recall.people.known[number].address == ""
    recall.erase("nobody@x.example")


def test_old_mail_is_forgotten_and_newer_mail_is_not() -> None:
    letters = [letter(f"p{n}@x.example", f"topic{n} alpha", subject=f"subject {n}", day=n) for n in range(10)]
    recall = memory(*letters)
    recall.forget(int(START.timestamp()) + 5 * 86400)
    assert len(recall) == 5
    contacts = recall.habits[recall.people.numbers[ME]].contacts
    known = {recall.people.known[number].address for number in contacts}
    assert known == {f"p{n}@x.example" for n in range(5, 10)}
    assert not recall.same_subject(reading(letters[2]).observation.subject)
    assert recall.group(recall.same_subject(reading(letters[7]).observation.subject)[0])


@given(OBSERVATIONS)
@settings(max_examples=100, deadline=None)
def test_anything_that_can_be_in_the_log_can_be_remembered(observation: Observation) -> None:
    recall = Recall()
    recall.observe(observation)
    recall.observe(observation)
    recall.forget(observation.when + 1)
    assert len(recall) == 0
