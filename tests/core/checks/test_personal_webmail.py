from mailguard.core.checks.personal_webmail import personal_webmail
from mailguard.core.findings import Severity
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))


def found(
    *to: str,
    sender: str = "anne.able@corp.example",
    participants: tuple[str, ...] = (),
    known: tuple[Acquaintance, ...] = (),
) -> list[tuple[str | None, Severity]]:
    made = facts(*to, sender=sender, participants=participants, recollection=recalled(*known))
    return [(one.recipient, one.severity) for one in personal_webmail(made, OURS)]


def test_a_colleagues_private_mailbox_is_a_warning() -> None:
    private = "carl.boss@gmail.com"
    assert found(private, "carl.boss@corp.example") == [(private, Severity.WARNING)]
    assert found("boss.carl1970@gmx.fr", participants=("carl.boss@corp.example",)) == [
        ("boss.carl1970@gmx.fr", Severity.WARNING)
    ]


def test_so_is_ones_own() -> None:
    assert found("able.anne@orange.fr") == [("able.anne@orange.fr", Severity.WARNING)]


def test_anybody_elses_is_a_note() -> None:
    assert found("jean.dupont@orange.fr") == [("jean.dupont@orange.fr", Severity.NOTE)]


def test_not_somebody_to_whom_the_sender_writes() -> None:
    known = (Acquaintance(address="carl.boss@gmail.com", mails=3),)
    assert found("carl.boss@gmail.com", "carl.boss@corp.example", known=known) == []


def test_not_a_firm() -> None:
    assert found("carl.boss@client.example") == []


def test_it_names_the_colleague() -> None:
    (one,) = personal_webmail(facts("carl.boss@gmail.com", "carl.boss@corp.example"), OURS)
    assert "carl.boss@corp.example" in sentence(one, "en")
    assert "carl.boss@corp.example" in sentence(one, "fr")
