"""Header blocks, read for rules and checks."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import message as reading
from mailguard.core.facts import Headers

USUAL = b"""\
Received: from laptop ([192.0.2.7]) by mx.corp.example; Sun, 22 Nov 2026 10:00:00 +0000
Date: Sun, 22 Nov 2026 11:00:00 +0100
From: Alice Example <alice@corp.example>
To: Bob <bob@client.example>, "Doe, Carol" <carol@client.example>
Cc: dave@corp.example,
 =?utf-8?q?=C3=89ve?= <eve@corp.example>
Reply-To: <team@corp.example>
Subject: =?UTF-8?Q?R=C3=A9sultats_?=
 =?UTF-8?Q?du_trimestre?=
Message-ID: <1@corp.example>
In-Reply-To: <b@client.example>
References: <a@client.example>
 <b@client.example>
X-Mailer: one
X-Mailer: two
""".replace(b"\n", b"\r\n")


def test_the_usual_header() -> None:
    headers = reading.read_headers(USUAL + b"\r\nSubject: not this one\r\n")
    assert headers.readable
    assert headers.from_ == ("alice@corp.example",)
    assert headers.to == ("bob@client.example", "carol@client.example")
    assert headers.cc == ("dave@corp.example", "eve@corp.example")
    assert headers.reply_to == ("team@corp.example",)
    assert headers.subject == "Résultats du trimestre"
    assert headers.message_id == "<1@corp.example>"
    assert headers.in_reply_to == ("b@client.example",)
    assert headers.references == ("a@client.example", "b@client.example")
    assert headers.thread_ids == ("a@client.example", "b@client.example")
    assert headers.fields["x-mailer"] == ("one", "two")
    assert headers.fields["cc"] == ("dave@corp.example, Éve <eve@corp.example>",)
    assert headers.importance == "normal"


@pytest.mark.parametrize(
    ("content", "header", "body"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n", b"A: 1\r\nB: 2\r\n", b"body\r\n\r\n"),
        (b"\r\nbody", b"", b"body"),
        (b"A: 1\n\nbody\r\n\r\n", b"A: 1\n", b"body\r\n\r\n"),
        (b"A: 1\r\n", b"A: 1\r\n", b""),
        (b"A: 1\r\n\r\n", b"A: 1\r\n", b""),
        (b"A: 1\r\n \r\n\r\nbody", b"A: 1\r\n \r\n", b"body"),
        (b"", b"", b""),
    ],
)
def test_where_the_body_begins(content: bytes, header: bytes, body: bytes) -> None:
    block, offset = reading.split(content)
    assert (block, content[offset:]) == (header, body)


@pytest.mark.parametrize(
    ("field", "importance"),
    [
        (b"Importance: High", "high"),
        (b"Importance: normal", "normal"),
        (b"X-Priority: 1 (Highest)", "high"),
        (b"X-Priority: 3", "normal"),
        (b"X-Priority: 5", "low"),
        (b"Priority: urgent", "high"),
        (b"Priority: non-urgent", "low"),
        (b"X-MSMail-Priority: High", "high"),
        (b"X-Other: High", "normal"),
    ],
)
def test_importance(field: bytes, importance: str) -> None:
    assert reading.read_headers(field + b"\r\n\r\n").importance == importance


def test_several_fields_of_one_kind_are_all_seen() -> None:
    headers = reading.read_headers(
        b"From: a@b.example\r\nfrom : c@d.example\r\nTo: x@y.z\r\nTO: v@w.z\r\n\r\n"
    )
    assert headers.from_ == ("a@b.example", "c@d.example")
    assert headers.to == ("x@y.z", "v@w.z")


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
        (b"=?utf-8?q?boss=00?=\x1b[31m", "boss[31m"),
        ("déjà".encode(), "déjà"),
        ("déjà".encode("latin-1"), "déjà"),
        (b"x" * 3000, "x" * reading.SUBJECT_LIMIT),
    ],
)
def test_subjects(subject: bytes, shown: str) -> None:
    assert reading.read_headers(b"Subject: " + subject + b"\r\n\r\n").subject == shown


def test_eight_bit_fields_are_decoded_one_by_one() -> None:
    headers = reading.read_headers(b"X-A: \xc3\xa9\r\nX-B: \xe9\r\n\r\n")
    assert headers.fields == {"x-a": ("é",), "x-b": ("é",)}


def test_ids_without_brackets_in_prose_and_too_many() -> None:
    headers = reading.read_headers(
        b'In-Reply-To: Message from Bob of "Mon" <a@b.example>\r\nReferences: bare@c.example\r\n\r\n'
    )
    assert headers.in_reply_to == ("a@b.example",)
    assert headers.references == ("bare@c.example",)
    many = b" ".join(b"<%d@x.example>" % number for number in range(500))
    kept = reading.read_headers(b"References: " + many + b"\r\n\r\n").references
    assert len(kept) == reading.IDS_LIMIT
    assert (kept[0], kept[-1]) == ("0@x.example", "499@x.example")


@pytest.mark.parametrize(
    "content",
    [
        b"This is only text.\r\n",
        b"Subject: x\r\nno field\r\n\r\nbody",
        b" folded from nothing\r\nSubject: x\r\n\r\n",
        b"Subject: x\x00y\r\n\r\n",
        b"To: a@b.example)c@d.example\r\n\r\n",
        b"X-Long: " + b"y" * (reading.VALUE_LIMIT + 1) + b"\r\n\r\n",
        b"A: b\r\n" * (reading.FIELD_LIMIT + 1) + b"\r\n",
        b"Subject: x\r\n" + b"X-Y: z\r\n" * (reading.BLOCK_LIMIT // 8) + b"\r\n",
    ],
)
def test_what_is_strange_is_told(content: bytes) -> None:
    assert not reading.read_headers(content).readable


def test_of_what_is_strange_the_rest_is_read() -> None:
    headers = reading.read_headers(b"no field\r\nTo: a@b.example\r\nSubject: x\r\n\r\nbody")
    assert (headers.to, headers.subject) == (("a@b.example",), "x")


def test_the_postmark_of_an_mbox_is_no_surprise() -> None:
    assert reading.read_headers(b"From a@b.example Sun Nov 22\r\nSubject: x\r\n\r\n").readable


@given(st.binary(max_size=600))
def test_garbage_never_raises(garbage: bytes) -> None:
    assert isinstance(reading.read_headers(garbage), Headers)
    assert isinstance(reading.read_headers(b"To: " + garbage), Headers)
    assert isinstance(reading.read_headers(b"Subject: =?" + garbage + b"?=\r\n\r\n"), Headers)


HOSTILE = [
    (b"Subject: ", b"=?"),
    (b"To: ", b"=?"),
    (b"To: ", b"=?utf-8?q?x?= "),
    (b"To: ", b";"),
    (b"To: ", b"("),
    (b"To: ", b'"('),
    (b"Cc: ", b"a:"),
    (b"From: ", b"<"),
    (b"To: ", b"\r\n x"),
    (b"To: ", b"a@b,"),
    (b"Content-Type: a/b", b";"),
    (b"Message-ID: <", b"["),
    (b"References: ", b"<a@b>"),
    (b"References: <", b"a"),
    (b"", b"A:\r\n"),
    (b"", b"a"),
    (b"", b"\r\n "),
    (b"a", b" "),
    (b"", b"\x00"),
    (b"Subject: ", b"\xff"),
]


@pytest.mark.parametrize(("start", "piece"), HOSTILE)
def test_hostile_headers_cost_little(start: bytes, piece: bytes) -> None:
    block = start + piece * (reading.BLOCK_LIMIT // len(piece))
    begun = time.perf_counter()
    reading.read_headers(block + b"\r\n\r\nbody")
    assert time.perf_counter() - begun < 2


def test_a_header_without_end_is_read_up_to_the_limit_only() -> None:
    content = b"X-A: b\r\n" * 4_000_000
    begun = time.perf_counter()
    headers = reading.read_headers(content)
    assert time.perf_counter() - begun < 0.5
    assert not headers.readable
    assert len(headers.fields["x-a"]) <= reading.FIELD_LIMIT
