from mailguard.core.checks.wrong_sender_identity import wrong_sender_identity
from mailguard.core.policy import Policy
from mailguard.core.recollection import Contact
from mailguard.core.wording import sentence
from tests.facts import facts, recalled


def found(identity: Contact | None) -> list[str]:
    known = facts(sender="private@corp.example", recollection=recalled(identity=identity))
    return [sentence(one, "en") for one in wrong_sender_identity(known, Policy())]


def test_these_people_know_him_by_another_address() -> None:
    (said,) = found(Contact(address="a@corp.example", mails=9))
    assert "a@corp.example" in said and "private@corp.example" in said


def test_not_where_it_is_no_habit() -> None:
    assert found(Contact(address="a@corp.example", mails=4)) == []
    assert found(None) == []
