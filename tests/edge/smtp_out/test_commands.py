"""Command lines, byte for byte from the stored envelope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.envelope import MailParameters
from mailguard.edge.smtp_out.commands import Unsendable, mail_line, rcpt_line
from tests.making import message, recipient

ALL = {"size": "", "8bitmime": "", "smtputf8": "", "dsn": "", "pipelining": ""}
CONTENT = b"Subject: s\r\n\r\nx\r\n"
WIDE = CONTENT + b"\xc3\xa9\r\n"


@pytest.mark.parametrize(
    ("sender", "parameters", "content", "offers", "line"),
    [
        ("a@corp.example", {}, CONTENT, {}, b"MAIL FROM:<a@corp.example>\r\n"),
        ("", {}, CONTENT, {}, b"MAIL FROM:<>\r\n"),
        ("a@corp.example", {}, CONTENT, ALL, b"MAIL FROM:<a@corp.example> SIZE=17\r\n"),
        ("a@x", {"body": "8BITMIME"}, CONTENT, ALL, b"MAIL FROM:<a@x> SIZE=17 BODY=8BITMIME\r\n"),
        ("a@x", {"body": "7BIT"}, CONTENT, {"8bitmime": ""}, b"MAIL FROM:<a@x> BODY=7BIT\r\n"),
        ("a@x", {"body": "8BITMIME"}, CONTENT, {}, b"MAIL FROM:<a@x>\r\n"),
        ("a@x", {}, WIDE, {"8bitmime": ""}, b"MAIL FROM:<a@x> BODY=8BITMIME\r\n"),
        (
            "a@x",
            {"ret": "FULL", "envid": "q+2B"},
            CONTENT,
            {"dsn": ""},
            b"MAIL FROM:<a@x> RET=FULL ENVID=q+2B\r\n",
        ),
        ("a@x", {"ret": "FULL", "envid": "q"}, CONTENT, {}, b"MAIL FROM:<a@x>\r\n"),
        ("é@x", {}, CONTENT, {"smtputf8": ""}, "MAIL FROM:<é@x> SMTPUTF8\r\n".encode()),
        # The client said SMTPUTF8, but nothing in it needs it.
        ("a@x", {"smtputf8": True}, CONTENT, {}, b"MAIL FROM:<a@x>\r\n"),
        # A header in 8 bits whose client never said so goes on as it came.
        ("a@x", {}, b"Subject: \xe9\r\n\r\n", {"8bitmime": ""}, b"MAIL FROM:<a@x> BODY=8BITMIME\r\n"),
    ],
)
def test_mail(
    sender: str, parameters: dict[str, object], content: bytes, offers: dict[str, str], line: bytes
) -> None:
    held = message(sender=sender, parameters=MailParameters(**parameters))  # type: ignore[arg-type]
    assert mail_line(held, held.recipients, content, offers) == line


@pytest.mark.parametrize(
    ("changes", "content", "offers", "status"),
    [
        ({}, WIDE, {}, "5.6.3"),
        ({"sender": "é@x"}, CONTENT, {"8bitmime": ""}, "5.6.7"),
        (
            {"parameters": MailParameters(smtputf8=True)},
            b"Subject: \xc3\xa9\r\n\r\n",
            {"8bitmime": ""},
            "5.6.7",
        ),
        ({"parameters": MailParameters(envid="a b")}, CONTENT, ALL, "5.5.4"),
        ({"parameters": MailParameters(envid="a\r\nRSET")}, CONTENT, ALL, "5.5.4"),
        ({"sender": "a@x>\r\nRSET"}, CONTENT, ALL, "5.1.3"),
    ],
)
def test_what_cannot_be_sent(
    changes: dict[str, object], content: bytes, offers: dict[str, str], status: str
) -> None:
    held = message(**changes)
    with pytest.raises(Unsendable, match=status):
        mail_line(held, held.recipients, content, offers)


@pytest.mark.parametrize(
    "address",
    [
        "b@client.example",
        '"a b"@x.example',
        '"a\\"b>"@x.example',
        "user%evil@x.example",
        "a!b@x.example",
        "=?utf-8?q?x?=@x.example",
        "a+b@[IPv6:2001:db8::1]",
        "@route.example:u@x.example",
        "postmaster",
        "é@dé.example",
    ],
)
def test_an_address_goes_as_it_is(address: str) -> None:
    assert rcpt_line(recipient(address), ALL) == b"RCPT TO:<" + address.encode() + b">\r\n"


@given(st.text(max_size=40))
def test_a_line_is_one_command_with_one_path(address: str) -> None:
    try:
        line = rcpt_line(recipient(address), ALL)
    except Unsendable:
        return
    assert line == b"RCPT TO:<" + address.encode() + b">\r\n"
    inside = line[9:-3]
    assert not set(inside) & set(range(0x20))
    if b'"' not in inside:
        assert not set(inside) & set(b"<> ")
