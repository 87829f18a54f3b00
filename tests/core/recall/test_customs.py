"""What is customary for a sender is found in his latest mails."""

from mailguard.core.recall import customs
from mailguard.core.recall.digest import read
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.remembrance import Remembrance
from tests.core.recall.test_recollecting import DIGESTS, INTERNAL, ME, known, mail, remembered

CLIENTS = tuple(f"p{number}@client{number}.example" for number in range(4))


def crowds(memory: Remembrance, letter: Letter, over: int = 3) -> int:
    return customs.crowds(memory, memory.scene(read(letter, DIGESTS), INTERNAL), over)


def test_mails_that_showed_outsiders_to_one_another() -> None:
    blind = mail(3, "bob@corp.example", hidden=CLIENTS)
    colleagues = mail(4, *(f"c{number}@corp.example" for number in range(6)))
    memory = remembered(mail(1, *CLIENTS), mail(2, CLIENTS[0], cc=CLIENTS[1:]), blind, colleagues)
    assert crowds(memory, mail(9, *CLIENTS)) == 2
    assert crowds(memory, mail(9, *CLIENTS, sender="carl@corp.example")) == 0


def test_nobody_looks_where_this_mail_shows_few() -> None:
    memory = remembered(mail(1, *CLIENTS))
    assert crowds(memory, mail(9, *CLIENTS[:3], "bob@corp.example")) == 0


def test_answers_to_mail_that_named_him_nowhere() -> None:
    team, bob, carl = "team@corp.example", "bob@corp.example", "carl@corp.example"
    memory = remembered(
        mail(1, team, sender=bob),
        mail(2, bob, team, answers=("1@corp.example",)),
        # Named himself; to the writer alone; by way of somebody else.
        mail(3, team, ME, sender=bob),
        mail(4, bob, team, answers=("3@corp.example",)),
        mail(5, team, sender=bob),
        mail(6, bob, answers=("5@corp.example",)),
        mail(7, carl, sender=bob),
        mail(8, bob, carl, answers=("7@corp.example",)),
        mail(9, team, sender=bob),
    )
    found = known(memory, mail(20, bob, team, answers=("9@corp.example",)))
    assert (found.answered, found.unnamed) == ((team,), 1)
    # Where he is named nobody counts.
    assert known(memory, mail(20, bob, team, answers=("3@corp.example",))).unnamed == 0


def test_another_address_of_his_is_his() -> None:
    bob, support = "bob@corp.example", "support@corp.example"
    memory = remembered(
        mail(1, support, "dora@corp.example", sender=bob),
        mail(2, bob, "dora@corp.example", answers=("1@corp.example",)),
        mail(3, "dora@corp.example", sender=bob),
    )
    answer = mail(4, bob, "dora@corp.example", answers=("3@corp.example",))
    assert known(memory, answer).unnamed == 1
    assert known(memory, answer, own=(ME, support)).unnamed == 0
