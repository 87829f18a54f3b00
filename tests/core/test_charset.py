"""Bytes to readable text, whatever a message calls them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import charset


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caf=C3=A9_noir?=", "café noir"),
        ("=?UTF-8?B?w6k=?=", "é"),
        ("=?iso-8859-1?Q?=E9?= tail", "é tail"),
        # RFC 2047 section 6.2: the white space between two words is not shown.
        ("=?utf-8?q?a?= \t =?utf-8?q?b?= c", "ab c"),
        # A character cut in two between two words.
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        ("=?utf-8?q?a?= =?iso-8859-2?q?=B1?=", "aą"),
        ("=?utf-8*fr?q?a?=", "a"),
        ("=?windows-1252?q?=80?=", "€"),
        ("=?x-unknown?q?=C3=A9?=", "é"),
        ("=?x-unknown?q?=E9?=", "é"),
        ("=?utf-8?b?w6?=", ""),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?unclosed", "=?utf-8?q?unclosed"),
    ],
)
def test_encoded_words(written: str, shown: str) -> None:
    assert charset.words(written) == shown


@pytest.mark.parametrize(
    "name", ["punycode", "idna", "hex", "zlib", "rot13", "unicode_escape", "undefined", "mbcs"]
)
def test_a_codec_that_is_no_charset_of_mail_is_not_used(name: str) -> None:
    assert not charset.known(name)
    assert charset.decode(b"a-b", name) == "a-b"


@pytest.mark.parametrize(
    "name", ["UTF-8", "utf8", "ISO-8859-15", "iso8859_15", "Windows-1251", "GB2312", "KOI8-R"]
)
def test_the_usual_names_in_any_spelling(name: str) -> None:
    assert charset.known(name)


def test_control_invisible_and_direction_characters_go() -> None:
    assert charset.clean("boss\x00\x1b[31m@corp") == "boss[31m@corp"
    assert charset.clean("a\r\nX-Evil: 1") == "a  X-Evil: 1"
    assert charset.clean("in\u202evoice\u200b.\u2066exe") == "invoice.exe"
    assert charset.clean("naïve “é” 日本") == "naïve “é” 日本"
    # A joiner is part of how some scripts and symbols are written.
    assert charset.clean("\U0001f468\u200d\U0001f469") == "\U0001f468\u200d\U0001f469"


def test_lines_are_kept_where_they_count() -> None:
    assert charset.clean_lines("a\r\nb\tc\x00\r\n") == "a\nb\tc\n"
    assert charset.clean_lines("é\r\nb\tc\x00\u202e") == "é\nb\tc"


def test_base64_that_is_cut_short_or_has_foreign_characters() -> None:
    assert charset.base64(b"QUJD\r\nREVG") == b"ABCDEF"
    assert charset.base64(b"QUJDRE") == b"ABC"
    assert charset.base64(b"*QU-JD!") == b"ABC"


@given(st.binary(max_size=200), st.text(max_size=20))
def test_decoding_never_raises(raw: bytes, name: str) -> None:
    assert isinstance(charset.decode(raw, name), str)


@given(st.text(max_size=200))
def test_what_was_cleaned_is_printable_on_one_line(text: str) -> None:
    cleaned = charset.clean(text)
    assert not set("\r\n\x00\x1b\u202e") & set(cleaned)
    assert charset.clean(cleaned) == cleaned


@pytest.mark.parametrize("piece", ["=?", "=?a?q?", "=?utf-8?q?x?= ", "=?utf-8?b?", "=?x?q?" + "=C3?=", "?="])
def test_a_hundred_kilobytes_of_broken_words_take_no_time(piece: str) -> None:
    begun = time.perf_counter()
    charset.words(piece * (100_000 // len(piece)))
    assert time.perf_counter() - begun < 2
