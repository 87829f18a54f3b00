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


def test_not_where_a_list_or_a_shared_mailbox_may_have_brought_it() -> None:
    people = ("w@client.example", *ALL)

    def speaks(through_list: bool = False, unnamed: int = 0) -> bool:
        recollection = recalled(answered=ALL, through_list=through_list, unnamed=unnamed)
        return bool(was_bcc_reply_all(facts(*people, headers=REPLY, recollection=recollection), Policy()))

    assert speaks()
    assert speaks(unnamed=1)
    assert not speaks(unnamed=2)
    assert not speaks(through_list=True)


def test_it_is_said_in_french() -> None:
    known = facts("w@client.example", *ALL, headers=REPLY, recollection=recalled(answered=ALL))
    (one,) = was_bcc_reply_all(known, Policy())
    assert "copie cachée" in sentence(one, "fr")
