"""The inside of a message: its text, its sender's own words, its attachments."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import body as bodies
from mailguard.core.body import read_body
from mailguard.core.facts import Body


def mixed(*parts: bytes, kind: bytes = b"mixed", boundary: bytes = b"b") -> bytes:
    lines = [b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"', b""]
    for part in parts:
        lines += [b"--" + boundary, part]
    return b"\r\n".join([*lines, b"--" + boundary + b"--", b""])


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nplain text"
HTML = b"Content-Type: text/html\r\n\r\n<p>html text</p>"
PDF = b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\nx'


def test_a_plain_message() -> None:
    content = b"Subject: x\r\n\r\nHello\r\n> old\r\n-- \r\nMe\r\n"
    assert read_body(content) == Body(text="Hello\n> old\n-- \nMe\n", own_text="Hello")


@pytest.mark.parametrize(
    ("header", "raw"),
    [
        (b"Content-Transfer-Encoding: base64\r\n", base64.encodebytes("déjà\r\n".encode())),
        (b"Content-Transfer-Encoding: BASE64 \r\n", base64.b64encode("déjà\r\n".encode()) + b"!"),
        (b"Content-Transfer-Encoding: quoted-printable\r\n", b"d=C3=A9j=\r\n=C3=A0\r\n"),
        (b"Content-Transfer-Encoding: 8bit\r\n", "déjà\r\n".encode()),
        (b"Content-Type: text/plain; charset=iso-8859-1\r\n", "déjà\r\n".encode("latin-1")),
        (b"Content-Type: text/plain; charset=x-unknown\r\n", "déjà\r\n".encode()),
        (b"Content-Type: text/plain; charset=utf-16\r\n", "déjà\r\n".encode("utf-16")),
        (b"Content-Type: text/plain; name=body.txt\r\n", "déjà\r\n".encode()),
    ],
)
def test_text_is_decoded(header: bytes, raw: bytes) -> None:
    body = read_body(header + b"\r\n" + raw)
    assert body.text == "déjà\n"
    assert body.attachments == ()


def test_of_two_forms_of_one_text_the_plain_one_is_read() -> None:
    assert read_body(mixed(PLAIN, HTML, kind=b"alternative")).text == "plain text"
    assert read_body(mixed(b"\r\n\r\n", HTML, kind=b"alternative")).text.strip() == "html text"
    assert read_body(mixed(PLAIN, HTML)).text == "plain text\nhtml text"
    inside = mixed(
        HTML, b"Content-Type: image/png\r\nContent-ID: <i>\r\n\r\nx", kind=b"related", boundary=b"r"
    )
    assert read_body(mixed(PLAIN, inside, kind=b"alternative")).text == "plain text"


ATTACHED: list[tuple[bytes, tuple[str, ...]]] = [
    (PDF, ("a.pdf",)),
    (b"Content-Type: application/pdf\r\n\r\nx", ("",)),
    (b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx", ("",)),
    (b"Content-Type: text/plain; name=notes.txt\r\n\r\nx", ("notes.txt",)),
    (b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx", ("",)),
    (b"Content-Type: image/png; name=photo.png\r\n\r\nx", ("photo.png",)),
    (b"Content-Type: image/png\r\nContent-Disposition: inline; filename=p.png\r\n\r\nx", ("p.png",)),
    (b"Content-Type: image/png; name=logo.png\r\nContent-ID: <logo>\r\n\r\nx", ()),
    (b"Content-Type: image/png\r\nContent-Disposition: inline\r\n\r\nx", ()),
    (b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN", ()),
    (b"Content-Type: text/csv; name=a.csv\r\n\r\nx", ("a.csv",)),
]


@pytest.mark.parametrize(("part", "names"), ATTACHED)
def test_attachments(part: bytes, names: tuple[str, ...]) -> None:
    body = read_body(mixed(PLAIN, part))
    assert body.attachments == names
    assert body.text == "plain text"


def test_what_a_program_added_is_no_attachment() -> None:
    signature = b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nx"
    assert read_body(mixed(PLAIN, signature, kind=b"signed")).attachments == ()
    assert read_body(mixed(mixed(PLAIN, PDF, boundary=b"i"), signature, kind=b"signed")).attachments == (
        "a.pdf",
    )
    report = b"Content-Type: message/delivery-status\r\n\r\nx"
    assert read_body(mixed(PLAIN, report, kind=b"report")).attachments == ()
    sealed = b"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\nx"
    assert (
        read_body(mixed(b"Content-Type: application/pgp-encrypted\r\n\r\n", sealed, kind=b"encrypted"))
        == Body()
    )


def test_the_text_of_an_attached_message_is_not_the_senders() -> None:
    inner = mixed(b"Content-Type: text/plain\r\n\r\nattached words", PDF, boundary=b"i")
    body = read_body(mixed(PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + inner))
    assert (body.text, body.attachments) == ("plain text", ("",))


def test_what_could_be_read_of_a_broken_message() -> None:
    deep = PLAIN
    for number in range(101):
        deep = mixed(PDF, deep, boundary=b"b%d" % number)
    body = read_body(deep)
    assert not body.readable
    assert len(body.attachments) == 100


def test_the_text_is_cut_at_the_bound() -> None:
    content = b"Subject: x\r\n\r\n" + b"0123456789abcde\n" * 100_000
    body = read_body(content)
    assert len(body.text) == bodies.TEXT_LIMIT
    assert body.readable


@given(st.binary(max_size=400))
def test_garbage_never_raises(garbage: bytes) -> None:
    for start in (b"", b"Content-Type: text/html\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n\r\n"):
        assert isinstance(read_body(start + garbage), Body)
    assert isinstance(read_body(mixed(garbage, PLAIN)), Body)


@pytest.mark.parametrize("encoding", [b"base64", b"quoted-printable", b"7bit"])
@pytest.mark.parametrize("piece", [b"=", b" ", b"=\r\n", b"AAAA", b"\xff", b"\r\n", b"= ", b"=4"])
def test_hostile_encodings_cost_little(encoding: bytes, piece: bytes) -> None:
    content = b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + piece * (4_000_000 // len(piece))
    begun = time.perf_counter()
    read_body(content)
    assert time.perf_counter() - begun < 2
