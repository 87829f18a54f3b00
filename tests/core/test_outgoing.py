"""The bytes that leave are the sender's: one Received field more, Bcc and control fields less."""

import base64
import re
import time
from datetime import timedelta, timezone

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.message import split
from mailguard.core.outgoing import HOPS_LIMIT, PASSES_LIMIT, loops, outgoing
from tests.making import NOW, message

HOST = "guard.corp.example"
RECEIVED = re.compile(
    rb"Received: (?:from (?P<helo>\S+)(?: \((?P<peer>\S+)\))?\r\n\t)?by guard\.corp\.example \(mailguard\)"
    rb"(?: with (?P<with>\w+))? id k7fm2xqp9d3t;\r\n\tSun, 22 Nov 2026 10:00:00 \+0000\r\n"
)


def left(content: bytes, **changes: object) -> bytes:
    """What leaves, without its first field, which is held against the grammar of trace fields."""
    made = outgoing(message(**changes), content, HOST)
    trace = RECEIVED.match(made)
    assert trace, made[:300]
    return made[trace.end() :]


def test_one_field_is_put_in_front_and_nothing_else_changes() -> None:
    content = b"subject :  odd  spacing \r\nTo: a@b\r\n\r\n.dot\r\nBcc: in the body\r\n\x00\xff no end"
    assert left(content) == content


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (b"To: a\r\nBcc: secret@x\r\nSubject: s\r\n", b"To: a\r\nSubject: s\r\n"),
        (b"Bcc: secret@x\r\nTo: a\r\n", b"To: a\r\n"),
        (b"To: a\r\nbCC:secret@x,\r\n\tsecret@y,\r\n secret@z\r\nCc: b\r\n", b"To: a\r\nCc: b\r\n"),
        (b"BCC : secret@x\r\nbcc\t:secret@y\r\nTo: a\r\n", b"To: a\r\n"),
        (b"To: a\r\nBcc\r\n : secret@x\r\nCc: b\r\n", b"To: a\r\nCc: b\r\n"),
        (b"To: a\r\nBcc:\r\n secret@x\r\n \r\n secret@y\r\nCc: b\r\n", b"To: a\r\nCc: b\r\n"),
        (b"To: a\r\nResent-Bcc: secret@x\r\nresent-bcc : secret@y\r\n", b"To: a\r\n"),
        (b"Bcc:\r\n", b""),
        (b"To: a\r\nX-Mailguard-Token: secret\r\nx-mailguard-any:\r\n secret\r\n", b"To: a\r\n"),
        (b"no field at all\r\nBcc: secret@x\r\nTo: a\r\n", b"no field at all\r\nTo: a\r\n"),
    ],
)
def test_hidden_fields_are_removed_however_they_are_written(header: bytes, kept: bytes) -> None:
    assert left(header + b"\r\nBcc: body\r\n") == kept + b"\r\nBcc: body\r\n"
    # A message that is a header only.
    assert left(header) == kept
    assert left(header.removesuffix(b"\r\n")) == (kept if b"secret" in header.splitlines()[-1] else kept[:-2])


@pytest.mark.parametrize(
    "content",
    [
        b"Bcc-Note: kept\r\nX-Bcc: kept\r\nSubject: Bcc: kept\r\n folded Bcc: kept\r\nX-Mailguards: kept\r\n",
        b"Subject: x\r\n\r\nBcc: kept\r\n",
        b"\r\nBcc: kept\r\n",
        b"Subject: x\r\n\r\n\r\nTo: inner\r\nBcc: kept\r\n",
        b"Content-Type: message/rfc822\r\n\r\nTo: a\r\nBcc: kept\r\n\r\nx",
        b"Just text, no header, no empty line.\r\n",
        b"",
    ],
)
def test_what_only_looks_like_it_stays(content: bytes) -> None:
    assert left(content) == content


@pytest.mark.parametrize(
    ("changes", "trace"),
    [
        ({}, b"Received: from laptop ([127.0.0.1])\r\n\tby guard.corp.example (mailguard) with ESMTPSA id "),
        ({"peer": "2001:db8::1"}, b"Received: from laptop ([IPv6:2001:db8::1])\r\n"),
        ({"peer": "::ffff:192.0.2.1"}, b"Received: from laptop ([192.0.2.1])\r\n"),
        ({"peer": "fe80::1%eth0"}, b"Received: from laptop ([IPv6:fe80::1])\r\n"),
        ({"peer": "no address"}, b"Received: from laptop\r\n"),
        ({"helo": "[192.0.2.9]"}, b"Received: from [192.0.2.9] (["),
        ({"helo": "evil\r\nX-Evil: 1"}, b"Received: from unknown (["),
        ({"helo": "a for <b@x>;"}, b"Received: from unknown (["),
        ({"helo": ""}, b"Received: from unknown (["),
        (
            {"protocol": "SMTP id x; y"},
            b"Received: from laptop ([127.0.0.1])\r\n\tby guard.corp.example (mailguard) id ",
        ),
        ({"peer": "", "protocol": ""}, b"Received: by guard.corp.example (mailguard) id "),
    ],
)
def test_the_trace_field(changes: dict[str, object], trace: bytes) -> None:
    content = b"To: a\r\n\r\nx"
    assert outgoing(message(**changes), content, HOST).startswith(trace)
    assert left(content, **changes) == content


def test_the_trace_field_tells_utc_and_never_for_whom() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    made = outgoing(message(received_at=elsewhere), b"To: a\r\n\r\nx", HOST)
    assert b"\r\n\tSun, 22 Nov 2026 10:00:00 +0000\r\n" in made
    assert b"client.example" not in made


FIELD = st.tuples(
    st.sampled_from([b"To", b"Bcc", b"bcc ", b"Subject", b"Resent-Bcc", b"X-Mailguard-A", b"Bccx"]),
    st.binary(max_size=20).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"")),
    st.booleans(),
)


@given(st.lists(FIELD, max_size=8), st.one_of(st.none(), st.binary(max_size=60)))
def test_all_bytes_but_the_hidden_fields_leave_unchanged(
    fields: list[tuple[bytes, bytes, bool]], body: bytes | None
) -> None:
    came = expected = b""
    for name, value, folded in fields:
        line = name + b": " + value + (b"\r\n\t" + value if folded else b"") + b"\r\n"
        came += line
        hidden = name.strip().lower() in (b"bcc", b"resent-bcc", b"x-mailguard-a")
        expected += b"" if hidden else line
    end = b"" if body is None else b"\r\n" + body
    assert left(came + end) == expected + end


def test_only_fields_of_that_name_are_hops() -> None:
    header = b"Received: a\r\n by b\r\nreceived : c\r\nX-Received: no\r\nSubject: Received: no\r\n"
    rest = b"Received: x\r\n" * (HOPS_LIMIT - 2)
    assert not loops(header + rest, HOST)
    assert loops(header + rest + b"received : d\r\n", HOST)
    assert not loops(b"", HOST)


def test_a_circle_is_noticed_by_its_length_or_by_our_own_name() -> None:
    content = b"To: a\r\n\r\nx"
    for _ in range(PASSES_LIMIT):
        # A message that was received through us and is sent on with its old header is no circle.
        assert not loops(split(content)[0], HOST)
        content = outgoing(message(), content, HOST)
    header, _ = split(content)
    assert loops(header, HOST)
    assert loops(header, HOST.upper())
    assert not loops(header, "other.example")
    assert not loops(b"Received: x\r\n" * HOPS_LIMIT, HOST)
    assert loops(b"Received: x\r\n" * (HOPS_LIMIT + 1), HOST)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "canonical", [b"relaxed/relaxed", b"relaxed/simple", b"simple/simple", b"simple/relaxed"]
)
@pytest.mark.parametrize(
    "body", [b"hello\r\n", b".dot\r\n\r\n..\r\n\r\n", b" \ttrailing \t\r\n\r\n\r\n", "déjà\r\n".encode()]
)
def test_a_dkim_signature_made_before_verifies_after(
    key: rsa.RSAPrivateKey, canonical: bytes, body: bytes
) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = base64.b64encode(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    content = b"From: a@corp.example\r\nTo:  b@x ,\r\n\tc@y\r\nBcc: d@z\r\nSubject: s  s\r\n\r\n" + body
    signature = dkim.sign(
        content,
        b"sel",
        b"corp.example",
        private,
        canonicalize=tuple(canonical.split(b"/")),
        include_headers=[b"From", b"To", b"Subject"],
    )
    made = outgoing(message(), signature + content, HOST)
    assert b"d@z" not in made

    def record(name: bytes, timeout: int = 5) -> bytes:
        return b"v=DKIM1; k=rsa; p=" + public

    assert dkim.verify(made, dnsfunc=record)
    assert not dkim.verify(made.replace(b"s  s", b"t  s"), dnsfunc=record)


MEGABYTES = 4_000_000


@pytest.mark.parametrize(
    "piece", [b"Bcc:\r\n", b"\r\n x", b"a", b"Bcc", b"\n", b"A:\r\n", b" \r\n", b"Received: x\r\n"]
)
def test_hostile_headers_cost_little(piece: bytes) -> None:
    content = b"Bcc:" + piece * (MEGABYTES // len(piece))
    begun = time.perf_counter()
    outgoing(message(), content, HOST)
    loops(content, HOST)
    assert time.perf_counter() - begun < 2
