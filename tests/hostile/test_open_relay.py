"""Who may not send cannot, whatever the address looks like and whatever was said before."""

from email.utils import parseaddr

import pytest

from tests.guard import SENDER, Guard
from tests.hostile.talk import FROM, LOG_IN, Talk
from tests.sink import Sink

# The ways that relays were talked into it, in their order of fame.
CLASSIC = [
    (b"MAIL FROM:<>", b"RCPT TO:<a@x.example>"),
    (b"MAIL FROM:<spam@x.example>", b"RCPT TO:<a@x.example>"),
    (b"MAIL FROM:<spam@localhost>", b"RCPT TO:<a@x.example>"),
    (b"MAIL FROM:<spam@[127.0.0.1]>", b"RCPT TO:<a@x.example>"),
    (b"MAIL FROM:<postmaster@guard.corp.example>", b"RCPT TO:<a@x.example>"),
    (FROM, b"RCPT TO:<a%x.example@guard.corp.example>"),
    (FROM, b"RCPT TO:<a%x.example@[127.0.0.1]>"),
    (FROM, b'RCPT TO:<"a%x.example">'),
    (FROM, b'RCPT TO:<"a@x.example">'),
    (FROM, b'RCPT TO:<"a@x.example"@guard.corp.example>'),
    (FROM, b"RCPT TO:<a@x.example@guard.corp.example>"),
    (FROM, b"RCPT TO:<@guard.corp.example:a@x.example>"),
    (FROM, b"RCPT TO:<@[127.0.0.1]:a@x.example>"),
    (FROM, b"RCPT TO:<x.example!a>"),
    (FROM, b"RCPT TO:<x.example!a@guard.corp.example>"),
    (FROM, b"RCPT TO:<x.example!a@[127.0.0.1]>"),
    (FROM, b"RCPT TO:a@x.example"),
    (FROM + b" AUTH=" + SENDER.encode(), b"RCPT TO:<a@x.example>"),
    (FROM + b" AUTH=<>", b"RCPT TO:<a@x.example>"),
]

PRETENDING = [
    b"XCLIENT ADDR=127.0.0.1 LOGIN=alice",
    b"XFORWARD ADDR=127.0.0.1",
    b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25",
    b"PROXY UNKNOWN",
    b"HELO localhost",
    b"EHLO guard.corp.example",
    b"EHLO [127.0.0.1]",
    b"AUTH EXTERNAL YWxpY2U=",
    b"AUTH ANONYMOUS YWxpY2U=",
    b"ETRN x.example",
    b"TURN",
    b"SEND " + FROM[5:],
    b"SOML " + FROM[5:],
    b"SAML " + FROM[5:],
]


@pytest.mark.parametrize("tls", [False, True])
def test_no_classic_trick_sends_a_strangers_mail(strict: Guard, tls: bool) -> None:
    for mail, rcpt in CLASSIC:
        with Talk(strict, tls=tls) as talk:
            assert talk.codes(mail, rcpt, b"DATA") == [530, 503, 503]


def test_nobody_becomes_somebody_by_saying_so(strict: Guard) -> None:
    for line in PRETENDING:
        with Talk(strict) as talk:
            talk.code(line)
            assert talk.codes(FROM, b"RCPT TO:<a@x.example>", b"DATA") == [530, 503, 503]


@pytest.mark.parametrize(
    "preface",
    [
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x00\x01\x00\x19",
    ],
)
def test_nobody_is_believed_to_be_a_proxy(strict: Guard, preface: bytes) -> None:
    with Talk(strict, hello=False) as talk:
        talk.send(preface + b"\r\nEHLO x\r\n" + FROM + b"\r\n")
        talk.send(b"QUIT\r\n")
        said = talk.rest()
        assert b"500 5.5.2" in said
        assert b"250 2.1.0" not in said


def test_only_ones_own_address_may_be_sent_from(strict: Guard) -> None:
    name, domain = parseaddr(SENDER)[1].split("@")
    other = [
        "boss@corp.example",
        f"{name}@{domain}.evil.example",
        f"{name}@evil.{domain}",
        f"x{name}@{domain}",
        f'"{SENDER}"@x.example',
        f"{name}%{domain}@x.example",
        f"{name}+x@{domain}",
        f"{name}@[127.0.0.1]",
    ]
    with Talk(strict, tls=True) as talk:
        assert talk.code(LOG_IN) == 235
        for sender in other:
            assert talk.ask(f"MAIL FROM:<{sender}>".encode()).startswith(b"553 5.7.1 "), sender
            assert talk.code(b"RCPT TO:<a@x.example>") == 503
        assert talk.codes(FROM, b"RCPT TO:<a@x.example>", b"RSET") == [250, 250, 250]


def test_a_password_is_asked_for_over_tls_only(strict: Guard) -> None:
    with Talk(strict) as talk:
        assert talk.ask(LOG_IN).startswith(b"538 5.7.11 ")
        assert talk.code(b"AUTH LOGIN") == 538
        assert talk.code(b"STARTTLS") == 220
        talk.shake_hands()
        assert talk.codes(b"EHLO x", LOG_IN, FROM) == [250, 235, 250]


@pytest.mark.parametrize(
    "fields",
    [
        b"Received: from a by b; now\r\n" * 51,
        b"Received: by guard.corp.example (mailguard) with ESMTP id x; now\r\n" * 5,
    ],
)
def test_mail_that_goes_in_a_circle_is_stopped(guard: Guard, fields: bytes) -> None:
    with Talk(guard) as talk:
        talk.begin()
        assert talk.ask(fields + b"Subject: circle\r\n\r\n.").startswith(b"554 5.4.6 ")


def test_mail_that_went_through_here_twice_is_let_through(guard: Guard, sink: Sink) -> None:
    passed = b"Received: by guard.corp.example (mailguard) with ESMTP id x; now\r\n" * 2
    with Talk(guard) as talk:
        talk.begin()
        assert (
            talk.code(passed + b"Received: from a by b; now\r\n" * 20 + b"Subject: not-a-circle\r\n\r\n.")
            == 250
        )
    sink.wait(lambda delivery: b"Subject: not-a-circle" in delivery.content)
