from mailguard.core.checks.stranger_in_thread import stranger_in_thread
from mailguard.core.facts import Headers
from mailguard.core.findings import Severity
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))
REPLY = Headers(in_reply_to=("one@client.example",))
FAMILIAR = ("b@client.example", "c@corp.example")


def strangers(
    *to: str, headers: Headers = REPLY, participants: tuple[str, ...] = FAMILIAR
) -> list[str | None]:
    found = stranger_in_thread(facts(*to, headers=headers, participants=participants), OURS)
    return [finding.recipient for finding in found]


def test_who_had_no_part_is_a_stranger() -> None:
    assert strangers("b@client.example", "d@rival.example", "e@rival.example") == [
        "d@rival.example",
        "e@rival.example",
    ]


def test_spelling_makes_no_stranger() -> None:
    assert strangers("B@CLIENT.example", "c@corp.example.") == []


def test_the_sender_is_no_stranger() -> None:
    assert strangers("a@corp.example", "A@Corp.Example") == []


def test_it_is_silent_where_it_does_not_know() -> None:
    assert strangers("d@rival.example", participants=()) == []
    assert strangers("d@rival.example", headers=Headers()) == []


def test_one_mailbox_is_told_once_and_as_it_was_first_written() -> None:
    assert strangers("D@rival.example", "d@rival.example") == ["D@rival.example"]


def test_what_cannot_be_understood_is_a_stranger() -> None:
    assert strangers("postmaster") == ["postmaster"]


def test_a_colleague_is_a_note_and_an_outsider_a_warning() -> None:
    message = facts("d@corp.example", "e@rival.example", headers=REPLY, participants=FAMILIAR)
    found = stranger_in_thread(message, OURS)
    assert [finding.severity for finding in found] == [Severity.NOTE, Severity.WARNING]
    assert found[1].parameters == {"address": "e@rival.example"}


def test_of_a_well_known_sender_only_whom_the_other_evidence_finds_odd() -> None:
    def speaks(per_thousand: float, *, mails: int = 200, suspicion: float = 0.1) -> bool:
        person = Acquaintance(address="d@rival.example", suspicion=suspicion, per_thousand=per_thousand)
        known = facts(
            "d@rival.example",
            headers=REPLY,
            participants=FAMILIAR,
            recollection=recalled(person, mails=mails),
        )
        return bool(stranger_in_thread(known, OURS))

    assert speaks(20.0)
    assert not speaks(21.0)
    # Hardly known, or nobody asked.
    assert speaks(500.0, mails=29)
    assert speaks(1000.0, suspicion=0.0)


def test_it_is_said_in_both_languages() -> None:
    (one,) = stranger_in_thread(facts("d@rival.example", headers=REPLY, participants=FAMILIAR), OURS)
    assert "d@rival.example" in sentence(one, "en")
    assert "d@rival.example" in sentence(one, "fr")
    assert sentence(one, "en") != sentence(one, "fr")
