from mailguard.core.recall.habits import LATEST, Contact
from tests.core.recall.letters import ME, letter, memory


def test_how_often_and_how_somebody_is_written_to() -> None:
    recall = memory(letter("b@x.example", day=1), letter("c@x.example", cc="b@x.example", day=2))
    contact = recall.habits[recall.people.numbers[ME]].contacts[recall.people.numbers["b@x.example"]]
    assert (contact.count, contact.listed, list(contact.mails)) == (2, 1, [1, 2])


def test_the_mails_kept_of_a_contact_are_bounded() -> None:
    recall = memory(*(letter("b@x.example", day=n / 100) for n in range(5 * LATEST)))
    contact = next(iter(recall.habits[0].contacts.values()))
    assert contact.count == 5 * LATEST
    assert LATEST <= len(contact.mails) <= 2 * LATEST


def test_mail_to_a_contact_is_forgotten_down_to_one_and_to_none() -> None:
    contact = Contact()
    for mail in (3, 5, 8):
        contact.written(mail, listed=mail != 5)
    kept = []
    for before in (4, 6, 9):
        contact.forget(before)
        kept.append(list(contact.mails))
    assert kept == [[5, 8], [8], []]
    assert (contact.count, contact.listed) == (3, 2)
    contact.written(11, listed=True)
    contact.written(12, listed=True)
    assert list(contact.mails) == [11, 12]
