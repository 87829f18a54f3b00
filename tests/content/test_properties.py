"""Whatever comes in: reading never fails, says the same twice, and agrees with what leaves."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import address, charset, mailboxes, markup, quoted
from mailguard.core.body import read_body
from mailguard.core.judge import judge
from mailguard.core.message import read_headers, split
from mailguard.core.mime import walk
from mailguard.core.outgoing import outgoing
from mailguard.core.prose import fold
from tests.facts import facts, policy
from tests.making import message

# Pieces that mean something to a parser, put together at random, find more than random bytes do.
PIECES = st.lists(
    st.sampled_from(
        [
            *(b"From", b"To", b"Bcc", b"Subject", b"References", b"Content-Type", b"Content-Disposition"),
            *(b":", b" : ", b"\r\n", b"\r\n ", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b"\xc3", b"\t"),
            *(b"a@b.example", b"<", b">", b"(", b")", b'"', b"\\", b",", b";", b"=", b"@", b".", b"*0*="),
            *(b"=?utf-8?q?", b"=?utf-7?b?", b"?=", b"=C3=A9", b"=\r\n", b"Zm9v", b"multipart/mixed"),
            *(b"text/html", b"text/plain", b"message/rfc822", b"boundary=", b"b", b"--", b"--b", b"--b--"),
            *(b"charset=utf-16", b"name*=utf-8''%41", b"base64", b"quoted-printable", b"<p>", b"<script>"),
            *(b"&#x1b;", b"&amp;", b"<!--", b"-->", b"<blockquote cite>", b"> ", b"On 1 a@b wrote:", b"-- "),
        ]
    ),
    max_size=60,
).map(b"".join)
CONTENT = st.one_of(PIECES, st.binary(max_size=300))
TEXT = st.one_of(st.text(max_size=200), PIECES.map(lambda raw: raw.decode("latin-1")))


@given(CONTENT)
def test_every_message_is_read_and_judged(content: bytes) -> None:
    headers, body = read_headers(content), read_body(content)
    assert read_headers(content) == headers
    assert read_body(content) == body
    shown = [
        headers.subject,
        headers.message_id,
        *headers.from_,
        *headers.to,
        *headers.cc,
        *headers.references,
    ]
    assert all(text.isprintable() for text in (*shown, *body.attachments))
    assert not set(body.text) & set("\x00\x1b\r\u202e")
    known = facts(headers=headers, body=body, own=("a@corp.example",))
    verdict = judge(known, policy("", checks=""))
    assert verdict == judge(known, policy("", checks=""))
    for finding in verdict.findings:
        assert all(text.isprintable() for text in finding.parameters.values())


@given(CONTENT)
def test_the_parts_lie_within_the_message_and_in_order(content: bytes) -> None:
    end = 0
    for part in walk(content).parts:
        assert end <= part.start <= part.end <= len(content)
        end = part.end


@given(CONTENT)
def test_what_leaves_says_the_same_but_for_bcc_and_the_trace(content: bytes) -> None:
    headers = read_headers(content)
    left = outgoing(message(), content, "guard.corp.example")
    trace = re.match(rb"Received: [^\n]*\n(?:\t[^\n]*\n)*", left)
    assert trace
    after = read_headers(left[trace.end() :])
    shown = {name: values for name, values in headers.fields.items() if name not in ("bcc", "resent-bcc")}
    assert dict(after.fields) == shown
    assert (after.from_, after.to, after.cc, after.subject) == (
        headers.from_,
        headers.to,
        headers.cc,
        headers.subject,
    )
    assert content[len(split(content)[0]) :] == left[len(left) - len(content) + len(split(content)[0]) :]


@given(TEXT)
def test_addresses(text: str) -> None:
    parsed = address.parse(text)
    if parsed.plain:
        assert address.parse(str(parsed)) == parsed
        assert address.parse(str(parsed).upper()) == parsed or not str(parsed).isascii()
    addresses, _ = mailboxes.split(text)
    named = mailboxes.named(text)
    assert all(one.strip() for one in addresses)
    assert [who for _, who in named] == list(addresses) or len(text) > 100


@given(TEXT)
def test_texts(text: str) -> None:
    cleaned = charset.clean(text)
    assert charset.clean(cleaned) == cleaned
    assert charset.clean_lines(charset.clean_lines(text)) == charset.clean_lines(text)
    charset.clean(charset.words(text)).encode("utf-8")
    assert fold(fold(text)) == fold(text) or not text.isascii()
    assert not set(markup.to_text(text)) & set("\x01\x02\x03")
    assert len(quoted.own_text(text)) <= len(text)


@given(st.lists(st.sampled_from("a\u0301\u0327\u0345e\u00e9\u0130\ufb03\u03a3 "), max_size=40).map("".join))
def test_folding_in_pieces_is_folding_as_a_whole(text: str) -> None:
    assert fold("x" * 256 + text) == "x" * 256 + fold(text)
