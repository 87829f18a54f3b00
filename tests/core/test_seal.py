"""What an approver's yes names: all that the approver was shown, and nothing else."""

from dataclasses import replace

import pytest

from mailguard.core.findings import Finding
from mailguard.core.seal import LENGTH, as_named, named, open_copy, seal
from tests.making import message, recipient

CONTENT = (
    b"From: a@corp.example\r\nTo: B@client.example\r\nBcc: blind@client.example\r\nSubject: Results\r\n"
    b"\r\nNot before Monday.\r\n"
)
HELD = message(recipient("b@CLIENT.example"), recipient("blind@client.example"))


def test_it_is_the_same_for_the_same_message_however_it_stands() -> None:
    first = seal(HELD, CONTENT)
    assert len(first) == LENGTH and set(first) <= set("0123456789abcdef")
    assert seal(replace(HELD, version=7, id="another"), CONTENT) == first


@pytest.mark.parametrize(
    "content",
    [
        CONTENT.replace(b"Monday", b"Sunday"),
        CONTENT.replace(b"Results", b"Result"),
        CONTENT.replace(b"B@client", b"c@client"),
        CONTENT + b"\r\n",
    ],
)
def test_another_message_has_another(content: bytes) -> None:
    assert seal(HELD, content) != seal(HELD, CONTENT)


def test_another_sender_or_recipient_has_another() -> None:
    more = CONTENT.replace(b"To: ", b"To: new@client.example, ")
    both = (*HELD.recipients, recipient("new@client.example"))
    assert seal(replace(HELD, sender="x@corp.example"), CONTENT) != seal(HELD, CONTENT)
    assert seal(replace(HELD, recipients=both), more) != seal(HELD, more)


def test_nobody_can_guess_a_blind_recipient_from_it() -> None:
    other = message(recipient("b@client.example"), recipient("other@client.example"))
    without = CONTENT.replace(b"Bcc: blind@client.example\r\n", b"")
    assert seal(HELD, CONTENT) == seal(other, CONTENT) == seal(other, without)
    assert b"blind" not in open_copy(CONTENT)


def test_what_was_found_about_a_blind_recipient_is_not_told() -> None:
    about = [
        Finding(check="first_contact", recipient="b@CLIENT.example", parameters={}),
        Finding(check="first_contact", recipient="blind@client.example", parameters={}),
        Finding(
            check="unlikely_recipient",
            recipient="b@CLIENT.example",
            parameters={"usual": "Blind@client.example"},
        ),
        Finding(check="forgotten_attachment", recipient=None, parameters={}),
    ]
    shown = as_named(replace(HELD, findings=tuple(about)), CONTENT)
    assert shown.findings == (about[0], about[3])
    assert shown.recipients == named(HELD, CONTENT) == HELD.recipients[:1]


def test_nor_is_where_a_blind_recipient_is() -> None:
    content = CONTENT.replace(b"blind@client.example", b"blind@mail.spy.example")
    held = message(recipient("b@client.example"), recipient("blind@mail.spy.example"))
    about = [
        Finding(
            check="attachment_name_mismatch",
            parameters={"file": "offer.pdf", "other": "third.example", "domains": domains},
        )
        for domains in ("client.example, spy.example", "client.example")
    ]
    assert as_named(replace(held, findings=tuple(about)), content).findings == (about[1],)
