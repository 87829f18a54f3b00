"""The parts of a message, found without ever looking twice."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import mime

MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def bodies(content: bytes) -> list[bytes]:
    return [content[part.start : part.end] for part in mime.walk(content).parts]


def names(field: bytes) -> list[str | None]:
    return [part.name for part in mime.walk(field + b"\r\n\r\nx").parts]


def test_a_message_without_parts_is_one_part() -> None:
    content = b"Subject: x\r\n\r\nhello\r\n"
    [part] = mime.walk(content).parts
    assert (part.kind, part.parent, part.name) == ("text/plain", "", None)
    assert bodies(content) == [b"hello\r\n"]


def test_nested_parts() -> None:
    content = MIXED + (
        b'preamble\r\n--b\r\nContent-Type: multipart/alternative; boundary="in ner"\r\n\r\n'
        b"--in ner\r\n\r\nplain\r\n--in ner\r\nContent-Type: Text/HTML\r\n\r\n<p>\r\n--in ner--\r\nend\r\n"
        b"--b  \r\nContent-Type: application/pdf\r\nContent-ID: <x>\r\n\r\n\r\n--b--\r\nend --b\r\n"
    )
    found = mime.walk(content)
    assert found.whole
    assert [part.kind for part in found.parts] == ["text/plain", "text/html", "application/pdf"]
    assert bodies(content) == [b"plain", b"<p>", b""]
    assert [part.parent for part in found.parts] == ["alternative", "alternative", "mixed"]
    assert [part.alternative for part in found.parts] == [1, 1, 0]
    assert [part.embedded for part in found.parts] == [False, False, True]


def test_an_outer_boundary_ends_an_inner_multipart() -> None:
    content = (
        MIXED
        + b"--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\na\r\n--b\r\n\r\nc\r\n--b--"
    )
    assert bodies(content) == [b"a", b"c"]


def test_a_boundary_is_a_whole_line() -> None:
    content = MIXED + b"--b\r\n\r\na --b\r\n--bc\r\n--b-\r\n --b\r\n--b--\r\n"
    assert bodies(content) == [b"a --b\r\n--bc\r\n--b-\r\n --b"]


def test_parts_without_a_body_or_without_a_header() -> None:
    assert bodies(MIXED + b"--b\r\nContent-Type: a/b\r\n--b\r\n\r\nx\r\n--b\r\n--b--\r\n") == [b"", b"x", b""]


def test_bare_line_feeds() -> None:
    content = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n"
    assert bodies(content) == [b"one", b"two"]


def test_a_message_cut_short_is_read_as_far_as_it_goes() -> None:
    found = mime.walk(MIXED + b"--b\r\n\r\none\r\n--b\r\n\r\ntw")
    assert (len(found.parts), found.whole) == (2, True)


def test_the_parts_of_a_digest_are_messages() -> None:
    [part] = mime.walk(
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n--b--"
    ).parts
    assert part.kind == "message/rfc822"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b'Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf"),
        (b"Content-Disposition: attachment; filename=a.pdf; size=3", "a.pdf"),
        (b"content-disposition : ATTACHMENT;\r\n\tFileName = a.pdf", "a.pdf"),
        (b"Content-Type: application/pdf; name=a.pdf", "a.pdf"),
        (b"Content-Type: a/b; name=t.pdf\r\nContent-Disposition: attachment; filename=d.pdf", "d.pdf"),
        (b'Content-Disposition: attachment; filename="a\\"b;c.pdf"', 'a"b;c.pdf'),
        (b'Content-Disposition: attachment; filename="C:\\temp\\a.pdf"', "C:\\temp\\a.pdf"),
        # RFC 2231: extended, continued, and both.
        (b"Content-Disposition: attachment; filename*=utf-8'fr'd%C3%A9j%C3%A0.pdf", "déjà.pdf"),
        (b"Content-Disposition: attachment; filename*=iso-8859-1''%E9.pdf; filename=e.pdf", "é.pdf"),
        (b'Content-Disposition: attachment; filename*0="a"; filename*1="b.pdf"', "ab.pdf"),
        (b"Content-Type: a/b; name*0*=utf-8''%C3; name*1*=%A9; name*2=.pdf", "é.pdf"),
        (b'Content-Disposition: attachment; filename*1="b"; filename*0="a"', "ab"),
        # What RFC 2047 forbids and many programs do.
        (b'Content-Type: a/b; name="=?utf-8?q?d=C3=A9j=C3=A0?= =?utf-8?q?.pdf?="', "déjà.pdf"),
        ('Content-Disposition: attachment; filename="déjà.pdf"'.encode(), "déjà.pdf"),
        ('Content-Disposition: attachment; filename="déjà.pdf"'.encode("latin-1"), "déjà.pdf"),
        (b'Content-Disposition: attachment; filename="in\xe2\x80\xaefdp.exe\x01"', "infdp.exe"),
        (b'Content-Disposition: attachment; filename=""', ""),
        (b"Content-Disposition: attachment; filename", None),
        (b"Content-Disposition: attachment", None),
    ],
)
def test_file_names(field: bytes, name: str | None) -> None:
    assert names(field) == [name]


@pytest.mark.parametrize(
    "content",
    [
        b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=other\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        b"".join(MIXED.replace(b"=b", b"=b%d" % n) + b"--b%d\r\n" % n for n in range(mime.DEPTH_LIMIT + 1)),
        MIXED + b"--b\r\n\r\n" * (mime.PART_LIMIT + 2),
        MIXED + b"--b\r\n\r\n" + b"--\n" * (mime.MARK_LIMIT + 1),
    ],
)
def test_what_is_beyond_the_bounds_is_told(content: bytes) -> None:
    found = mime.walk(content)
    assert not found.whole
    assert len(found.parts) <= mime.PART_LIMIT


def test_as_deep_and_as_many_as_the_bounds_allow() -> None:
    deep = b"".join(MIXED.replace(b"=b", b"=b%d" % n) + b"--b%d\r\n" % n for n in range(mime.DEPTH_LIMIT))
    assert mime.walk(deep + b"\r\nx").whole
    many = mime.walk(MIXED + b"--b\r\n\r\nx\r\n" * mime.PART_LIMIT + b"--b--")
    assert (many.whole, len(many.parts)) == (True, mime.PART_LIMIT)


@given(st.binary(max_size=500), st.sampled_from([b"", MIXED, MIXED + b"--b\r\n", b"Content-Type: "]))
def test_garbage_never_raises(garbage: bytes, start: bytes) -> None:
    content = start + garbage
    for part in mime.walk(content).parts:
        assert 0 <= part.start <= part.end <= len(content)


MEGABYTES = 4_000_000
HOSTILE = {
    "dashes": MIXED + b"--\n" * (MEGABYTES // 3),
    "lines": MIXED + b"\n" * MEGABYTES,
    "parts": MIXED + b"--b\r\n\r\n" * (MEGABYTES // 7),
    "parts without end of header": MIXED + b"--b\r\nx" * (MEGABYTES // 6),
    "spaces behind dashes": MIXED + (b"--" + b" " * 280 + b"\n") * (MEGABYTES // 283),
    "parameters": b"Content-Type: multipart/mixed" + b";a" * 40_000 + b"\r\n\r\n",
    "open quotes": b"Content-Type: multipart/mixed" + b';a="' * 25_000 + b"\r\n\r\n",
    "semicolons": b"Content-Type: multipart/mixed" + b";" * MEGABYTES,
    "parameters in every part": MIXED + (b"--b\r\nContent-Type: a/b" + b";x=y" * 1000 + b"\r\n\r\n") * 1000,
    "continued": b"Content-Type: a/b" + b"".join(b";name*%d=a" % n for n in range(9000)) + b"\r\n\r\n",
    "nested without end": b"".join(MIXED.replace(b"=b", b"=b%d" % n) + b"--b%d\r\n" % n for n in range(5000)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_messages_cost_little(case: str) -> None:
    begun = time.perf_counter()
    mime.walk(HOSTILE[case])
    assert time.perf_counter() - begun < 2
