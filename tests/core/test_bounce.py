"""Reports to senders: whom they go to, when, and that nothing foreign can bend them."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import bounce
from mailguard.core.bounce import Kind
from mailguard.core.envelope import MailParameters
from mailguard.core.hold import Action, HeldRecipient, NewMessage
from mailguard.core.states import MessageState
from tests.making import NOW, message, recipient

CONTENT = b"From: a@corp.example\r\nSubject: Cost cuts\r\nBcc: blind@x\r\n\r\nThe body.\r\n.dot\r\n"


def report(
    *recipients: HeldRecipient,
    kind: Kind = Kind.FAILED,
    content: bytes | None = CONTENT,
    language: str = "en",
    reason: str = "",
    **changes: object,
) -> NewMessage | None:
    told = recipients or (recipient("b@client.example", reply="550 5.1.1 No such user"),)
    return bounce.bounce(
        message(*told, **changes),
        told,
        kind=kind,
        reason=reason,
        id="newid1234567",
        hostname="guard.corp.example",
        language=language,
        now=NOW,
        content=content,
    )


def parsed(new: NewMessage | None) -> EmailMessage:
    assert new is not None
    made = email.message_from_bytes(new.content, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    assert not made.defects
    return made


def parts(new: NewMessage | None) -> tuple[EmailMessage, EmailMessage, EmailMessage]:
    made = parsed(new)
    assert made.get_content_type() == "multipart/report"
    assert made.get_param("report-type") == "delivery-status"
    text, status, returned = made.iter_parts()
    assert all(isinstance(part, EmailMessage) for part in (text, status, returned))
    return text, status, returned  # type: ignore[return-value]


def groups(new: NewMessage | None) -> list[EmailMessage]:
    return list(parts(new)[1].iter_parts())  # type: ignore[arg-type]


def test_it_is_queued_to_the_sender_from_nobody() -> None:
    new = report()
    assert new is not None
    held = new.message
    assert (held.id, held.state, held.sender, held.user) == ("newid1234567", MessageState.QUEUED, "", None)
    assert [r.address for r in held.recipients] == ["a@corp.example"]
    assert held.due_at == NOW
    assert held.action is Action.NONE
    assert held.size == len(new.content)
    assert new.event.event == "received"
    assert new.event.detail == {"report_on": "k7fm2xqp9d3t", "kind": "failed"}


def test_its_header() -> None:
    made = parsed(report(subject="Réduction", message_id="<one@corp.example>"))
    assert made["To"] == "a@corp.example"
    assert made["Subject"] == "Not delivered: Réduction"
    assert made["Auto-Submitted"] == "auto-replied"
    assert made["Message-ID"] == "<newid1234567@guard.corp.example>"
    assert made["In-Reply-To"] == made["References"] == "<one@corp.example>"
    assert made["Date"] == "Sun, 22 Nov 2026 10:00:00 +0000"


def test_it_is_lines_of_seven_bits_that_end_in_crlf() -> None:
    new = report(recipient("b@client.example", reply="550 é"), subject="é" * 300, language="fr")
    assert new is not None
    assert new.content.isascii()
    assert b"\n" not in new.content.replace(b"\r\n", b"")
    assert max(map(len, new.content.split(b"\r\n"))) <= 998
    assert new.message.parameters == MailParameters(size=len(new.content))


def test_the_part_for_programs() -> None:
    told = recipient(
        "b+x@client.example", reply="550 5.1.1 No such user", orcpt="rfc822;B+2Bx@client.example"
    )
    about, one = groups(report(told, parameters=MailParameters(envid="QQ+2B1")))
    assert about["Reporting-MTA"] == "dns; guard.corp.example"
    assert about["Original-Envelope-Id"] == "QQ+1"
    assert about["Arrival-Date"] == "Sun, 22 Nov 2026 10:00:00 +0000"
    assert one["Original-Recipient"] == "rfc822;B+x@client.example"
    assert one["Final-Recipient"] == "rfc822; b+x@client.example"
    assert one["Action"] == "failed"
    assert one["Status"] == "5.1.1"
    assert one["Diagnostic-Code"] == "smtp; 550 5.1.1 No such user"


@pytest.mark.parametrize(
    ("kind", "reply", "status", "diagnosed"),
    [
        (Kind.FAILED, "554 no", "5.0.0", True),
        (Kind.FAILED, "450 4.2.0 Greylisted", "4.2.0", True),
        (Kind.FAILED, "5.6.7 The outgoing server does not", "5.6.7", False),
        (Kind.FAILED, "4.4.1 No session with x", "4.4.1", False),
        (Kind.FAILED, None, "4.4.7", False),
        (Kind.EXPIRED, None, "5.4.7", False),
        (Kind.EXPIRED, "450 4.2.0 an old answer", "5.4.7", False),
        (Kind.REJECTED, None, "5.7.1", False),
        (Kind.RELAYED, "250 2.0.0 Ok", "2.0.0", True),
    ],
)
def test_status(kind: Kind, reply: str | None, status: str, diagnosed: bool) -> None:
    _, one = groups(report(recipient(reply=reply, notify="SUCCESS,FAILURE"), kind=kind))
    assert one["Status"] == status
    assert ("Diagnostic-Code" in one) is diagnosed
    assert one["Action"] == ("relayed" if kind is Kind.RELAYED else "failed")


@pytest.mark.parametrize(
    ("language", "kind", "words"),
    [
        ("en", Kind.FAILED, "could not be delivered to:"),
        ("fr", Kind.FAILED, "n'a pas pu être remis à :"),
        ("en", Kind.EXPIRED, "Nobody said yes"),
        ("fr", Kind.EXPIRED, "Personne n'a confirmé"),
        ("en", Kind.REJECTED, "Reason: Wrong file"),
        ("fr", Kind.REJECTED, "Motif : Wrong file"),
        ("en", Kind.RELAYED, "handed on"),
        ("fr", Kind.RELAYED, "transmis"),
        ("de", Kind.FAILED, "could not be delivered to:"),
    ],
)
def test_the_part_for_people(language: str, kind: Kind, words: str) -> None:
    reason = "Wrong file" if kind is Kind.REJECTED else ""
    told = recipient("b@client.example", notify="SUCCESS,FAILURE")
    text = parts(report(told, kind=kind, language=language, reason=reason))[0].get_content()
    assert words in text
    assert "b@client.example" in text
    assert "Cost cuts" in text
    assert "k7fm2xqp9d3t" in text


@pytest.mark.parametrize(
    ("kind", "notify", "wanted"),
    [
        (Kind.FAILED, None, True),
        (Kind.FAILED, "FAILURE,DELAY", True),
        (Kind.FAILED, "failure", True),
        (Kind.FAILED, "NEVER", False),
        (Kind.FAILED, "SUCCESS,DELAY", False),
        (Kind.EXPIRED, None, True),
        (Kind.EXPIRED, "NEVER", False),
        (Kind.REJECTED, None, True),
        (Kind.RELAYED, None, False),
        (Kind.RELAYED, "SUCCESS", True),
        (Kind.RELAYED, "FAILURE", False),
    ],
)
def test_who_wants_to_hear_of_what(kind: Kind, notify: str | None, wanted: bool) -> None:
    assert (report(recipient(notify=notify), kind=kind) is not None) is wanted


def test_recipients_that_nobody_wants_to_hear_of_are_not_named() -> None:
    new = report(recipient("loud@x.example"), recipient("quiet@x.example", notify="NEVER"))
    assert new is not None
    assert b"loud@x.example" in new.content
    assert b"quiet@x.example" not in new.content


def test_an_attempt_without_an_answer_is_told() -> None:
    doubt = "may have arrived all the same"
    assert doubt in parts(report(recipient(reply="4.4.2 lost", maybe_sent=True)))[0].get_content()
    assert doubt not in parts(report())[0].get_content()


def test_the_null_sender_is_never_written_to() -> None:
    assert report(sender="") is None


def test_without_recipients_there_is_nothing_to_report() -> None:
    made = bounce.bounce(
        message(), [], kind=Kind.FAILED, id="x", hostname="h", language="en", now=NOW, content=CONTENT
    )
    assert made is None


@pytest.mark.parametrize(
    ("kind", "ret", "content", "returned"),
    [
        (Kind.FAILED, None, CONTENT, "text/rfc822-headers"),
        (Kind.FAILED, "HDRS", CONTENT, "text/rfc822-headers"),
        (Kind.FAILED, "FULL", CONTENT, "message/rfc822"),
        (Kind.EXPIRED, None, CONTENT, "message/rfc822"),
        (Kind.REJECTED, None, CONTENT, "message/rfc822"),
        # What never left comes back whole, whatever it is: its bytes are gone from the guard.
        (Kind.EXPIRED, "HDRS", CONTENT, "message/rfc822"),
        (Kind.EXPIRED, None, CONTENT + b"x" * bounce.RETURN_LIMIT, "message/rfc822"),
        (Kind.REJECTED, None, CONTENT + b"\xc3\xa9\r\n", "message/rfc822"),
        (Kind.FAILED, "FULL", CONTENT + b"x" * bounce.RETURN_LIMIT, "text/rfc822-headers"),
        (Kind.FAILED, "FULL", CONTENT + b"\xc3\xa9\r\n", "text/rfc822-headers"),
        (Kind.FAILED, "FULL", CONTENT.replace(b"Cost", b"\xc3\xa9"), "text/rfc822-headers"),
        (Kind.FAILED, "FULL", b"no header end", "text/rfc822-headers"),
        (Kind.FAILED, None, None, "text/rfc822-headers"),
    ],
)
def test_what_comes_back(kind: Kind, ret: str | None, content: bytes | None, returned: str) -> None:
    new = report(kind=kind, content=content, parameters=MailParameters(ret=ret))
    part = parts(new)[2]
    assert part.get_content_type() == returned
    assert new is not None
    assert b"blind@x" not in new.content
    assert (b"The body." in new.content) is (returned == "message/rfc822")
    if kind is Kind.FAILED:
        assert new.content.isascii()
        assert len(new.content) < bounce.RETURN_LIMIT + 4096
    assert new.message.parameters.body == (None if new.content.isascii() else "8BITMIME")


def test_an_international_sender_and_recipient() -> None:
    new = report(recipient("é@client.example"), sender="chloé@corp.example")
    assert new is not None
    assert new.message.parameters.smtputf8
    assert new.message.parameters.body == "8BITMIME"
    assert "\r\nTo: <chloé@corp.example>\r\n".encode() in new.content
    assert b"Final-Recipient: utf-8; \\x{E9}@client.example\r\n" in new.content


EVIL = "x\r\nBcc: evil@x.example\r\n\r\n--=_newid1234567--\r\n"


@given(
    st.sampled_from(["reply", "address", "orcpt", "subject", "message_id", "sender", "envid", "reason"]),
    st.text(max_size=30),
)
def test_no_foreign_text_adds_a_field_or_a_part(where: str, noise: str) -> None:
    evil = noise + EVIL + noise
    told = recipient(**{where: evil} if where in ("reply", "address", "orcpt") else {})
    changes: dict[str, Any] = {where: evil} if where in ("subject", "message_id", "sender") else {}
    if where == "envid":
        changes["parameters"] = MailParameters(envid=evil)
    new = report(told, kind=Kind.FAILED, reason=evil if where == "reason" else "", **changes)
    assert new is not None
    plain = email.message_from_bytes(new.content)
    assert "Bcc" not in plain
    assert {name.lower() for name in plain} <= {
        *("from", "to", "subject", "date", "message-id", "in-reply-to", "references"),
        *("auto-submitted", "mime-version", "content-type"),
    }
    assert [part.get_content_type() for part in plain.get_payload()] == [  # type: ignore[union-attr]
        *("text/plain", "message/delivery-status", "text/rfc822-headers")
    ]
    assert len(groups(new)) == 2
