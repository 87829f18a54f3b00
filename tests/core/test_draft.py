"""A draft is what the sender wrote, without what the way added, and with all recipients in sight again."""

import email
import email.policy

import pytest

from mailguard.core.draft import draft

HEADER = (
    b"Received: from laptop\r\n\tby relay.corp.example;\r\n\tSun, 22 Nov 2026 10:00:00 +0000\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\n"
    b"From: Anne <anne@corp.example>\r\n"
    b"To: Client <client@customer.example>,\r\n\tother@customer.example\r\n"
    b"Cc: BOSS@corp.example\r\n"
    b"bcc: old@corp.example\r\n"
    b"Message-ID: <one@corp.example>\r\n"
    b"In-Reply-To: <zero@corp.example>\r\n"
    b"X-Mailguard-Hold: 5m\r\n"
    b"Subject: Cost\r\n cuts\r\n"
    b"X-Unsent: 0\r\n"
    b"MIME-Version: 1.0\r\n"
)
BODY = b"Not for everybody.\r\n.\r\n\r\nMessage-ID: stays\r\n"


def made(*recipients: str, content: bytes = HEADER + b"\r\n" + BODY) -> bytes:
    return draft(content, recipients)


def test_what_the_way_wrote_is_gone_and_the_rest_is_bit_for_bit_as_it_was() -> None:
    kept = (
        b"From: Anne <anne@corp.example>\r\n"
        b"To: Client <client@customer.example>,\r\n\tother@customer.example\r\n"
        b"Cc: BOSS@corp.example\r\n"
        b"In-Reply-To: <zero@corp.example>\r\n"
        b"Subject: Cost\r\n cuts\r\n"
        b"MIME-Version: 1.0\r\n\r\n" + BODY
    )
    assert made("client@customer.example", "boss@corp.example") == b"X-Unsent: 1\r\n" + kept


def test_who_stood_in_no_field_stands_in_bcc() -> None:
    parsed = email.message_from_bytes(
        made("client@customer.example", "x@corp.example", "y@corp.example", "x@corp.example"),
        policy=email.policy.default,
    )
    assert [str(one) for one in parsed["Bcc"].addresses] == ["x@corp.example", "y@corp.example"]
    assert parsed["X-Unsent"] == "1"


@pytest.mark.parametrize("to", ["CLIENT@Customer.example", "other@customer.example", "boss@CORP.example"])
def test_another_spelling_is_the_same_recipient(to: str) -> None:
    assert b"Bcc" not in made(to)


def test_two_hundred_hidden_recipients_and_one_beyond_ascii() -> None:
    hidden = [f"{number}.{'x' * 50}@corp.example" for number in range(200)] + ["é@corp.example"]
    content = made(*hidden)
    assert max(map(len, content.split(b"\r\n"))) < 100
    assert "é@corp.example".encode() in content
    assert content.count(b"@corp.example,\r\n ") == 200


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"", b"X-Unsent: 1\r\nBcc: a@x.example\r\n"),
        (b"\r\nonly a body", b"X-Unsent: 1\r\nBcc: a@x.example\r\n\r\nonly a body"),
        (b"Subject: no body\r\n", b"X-Unsent: 1\r\nBcc: a@x.example\r\nSubject: no body\r\n"),
        (b" no field\r\nBcc\r\n\r\nx", b"X-Unsent: 1\r\nBcc: a@x.example\r\n no field\r\n\r\nx"),
    ],
)
def test_odd_mail_comes_back_too(content: bytes, whole: bytes) -> None:
    assert made("a@x.example", content=content) == whole
