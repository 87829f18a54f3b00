from mailguard.core.checks.was_bcc_reply_all import was_bcc_reply_all
from mailguard.core.facts import Headers
from mailguard.core.policy import Policy
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

REPLY = Headers(in_reply_to=("one@client.example",))
ALL = ("c@corp.example", "d@corp.example")


def found(
    *to: str,
    answered: tuple[str, ...] = ALL,
    headers: Headers = REPLY,
    own: tuple[str, ...] | None = None,
) -> list[str]:
    known = facts(
        *to or ("w@client.example", *ALL), headers=headers, own=own, recollection=recalled(answered=answered)
    )
    return [sentence(one, "en") for one in was_bcc_reply_all(known, Policy())]


def test_the_others_do_not_know() -> None:
    (said,) = found()
    assert "Bcc" in said


def test_not_where_the_sender_was_named_by_any_of_his_addresses() -> None:
    assert found(answered=(*ALL, "a@corp.example")) == []
    assert found(answered=(*ALL, "anne@corp.example"), own=("anne@corp.example",)) == []


def test_not_in_an_answer_to_the_writer_alone() -> None:
    assert found("w@client.example") == []


def test_not_where_the_answered_mail_is_not_known() -> None:
    assert found(answered=()) == []
    assert found(headers=Headers()) == []
