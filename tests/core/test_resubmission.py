"""What makes two submissions one, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailguard.core.envelope import Envelope, MailParameters, Recipient, Submission
from mailguard.core.message import read_headers
from mailguard.core.resubmission import digest, reply_to_second
from mailguard.core.states import MessageState

CONTENT = b"From: a@corp.example\r\nMessage-ID: <one@corp.example>\r\n\r\nhello\r\n"
FIRST = Submission(
    envelope=Envelope(
        sender="a@corp.example",
        recipients=(Recipient(address="b@client.example"), Recipient(address="c@client.example")),
    ),
    content=CONTENT,
    user="a",
    peer="192.0.2.7",
    helo="laptop",
    protocol="ESMTPSA",
    received_at=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
)


def known(submission: Submission) -> bytes | None:
    return digest(submission, read_headers(submission.content))


def sent(sender: str = "a@corp.example", *to: str, **more: MailParameters) -> Submission:
    recipients = tuple(Recipient(address=one) for one in to)
    return replace(FIRST, envelope=Envelope(sender=sender, recipients=recipients, **more))


@pytest.mark.parametrize(
    "second",
    [
        FIRST,
        replace(FIRST, peer="192.0.2.8", helo="phone", received_at=datetime(2026, 11, 22, 10, 5, tzinfo=UTC)),
        sent("a@corp.example", "c@client.example", "b@client.example"),
        sent("a@corp.example", "b@client.example", "c@client.example", "b@client.example"),
        # HOLDFOR is counted from each try.
        sent(
            "a@corp.example",
            "b@client.example",
            "c@client.example",
            parameters=MailParameters(hold_until=datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
        ),
    ],
)
def test_the_same_again(second: Submission) -> None:
    assert known(second) == known(FIRST) is not None


@pytest.mark.parametrize(
    "second",
    [
        replace(FIRST, user="b"),
        replace(FIRST, user=None),
        replace(FIRST, content=CONTENT.replace(b"hello", b"hallo")),
        replace(FIRST, content=CONTENT.replace(b"<one@", b"<two@")),
        replace(FIRST, content=b"Received: from x by y; Sun, 22 Nov 2026 10:00:00 +0000\r\n" + CONTENT),
        sent("a@corp.example", "b@client.example"),
        sent("a@corp.example", "b@client.example", "c@client.example", "d@client.example"),
        sent("z@corp.example", "b@client.example", "c@client.example"),
        # The same letters, parted in another way.
        sent("a@corp.exampleb@client.example", "c@client.example"),
    ],
)
def test_another_message(second: Submission) -> None:
    assert known(second) not in (known(FIRST), None)


def test_without_a_message_id_nobody_can_tell() -> None:
    assert known(replace(FIRST, content=b"From: a@corp.example\r\n\r\nThe disk is full\r\n")) is None


def test_a_cancelled_first_is_told_as_such() -> None:
    first = "Held as k7fm2xqp9d3t until 2026-11-22T10:05:00Z: external"
    assert reply_to_second("k7fm2xqp9d3t", MessageState.HELD, first) == first
    told = reply_to_second("k7fm2xqp9d3t", MessageState.CANCELLED, first)
    assert told == "Held as k7fm2xqp9d3t: it was cancelled, and stays so"
