"""Bytes to text for reading: named character sets, encoded words (RFC 2047), and no control characters.

Nothing here raises and nothing takes more than linear time, whatever charset a message names.
"""

import binascii
import codecs
import re
from collections.abc import Iterator

# Python would import a module for every unknown name, remember each for ever, and knows codecs whose time
# is quadratic (punycode, idna). So a message chooses from this list only: every charset that mail uses.
_NAMES = """
ascii utf-8 utf-7 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10
iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16
cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp737 cp775 cp850 cp852 cp855 cp857
cp858 cp860 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 cp949 cp950
big5 big5hkscs gb2312 gbk gb18030 hz euc-jp euc-kr shift_jis shift_jis_2004 johab
iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_ext iso2022_kr
koi8-r koi8-u koi8-t kz1048 tis-620 mac-roman mac-cyrillic ptcp154
"""
_SPELLINGS = {
    "usascii": "ascii",
    "ansix341968": "ascii",
    "latin1": "cp1252",
    "macintosh": "mac-roman",
    "ksc56011987": "cp949",
    "xsjis": "cp932",
    "sjis": "cp932",
    "windows31j": "cp932",
    "xgbk": "gbk",
    "utf8mb4": "utf-8",
    "unicode11utf7": "utf-7",
    "iso88598i": "iso8859-8",
    "iso2022jp": "iso2022_jp_ext",
}
_DROPPED_FROM_NAMES = str.maketrans("", "", "-_. ")


def _plain(name: str) -> str:
    return name.lower().translate(_DROPPED_FROM_NAMES)


def _table() -> dict[str, str]:
    names = _NAMES.split()
    table = {_plain(name): name for name in names}
    for name in names:
        if name.startswith("cp"):
            table["windows" + name[2:]] = name
        if name.startswith("iso8859"):
            table["iso" + _plain(name)[3:]] = name
    # WHATWG Encoding Standard: what calls itself Latin-1 is Windows-1252 in practice.
    table["iso88591"] = "cp1252"
    # The supersets are what is really sent under the names of their subsets.
    table["gb2312"] = "gb18030"
    table["gbk"] = "gb18030"
    table["shiftjis"] = "cp932"
    table["euckr"] = "cp949"
    return table | _SPELLINGS


_CODECS = _table()

# An encoded word (RFC 2047 section 2), the language suffix of RFC 2231 section 5 included. No part can run
# over a question mark, so that a row of broken words costs no more than its length.
_WORD = re.compile(r"=\?([!-)+->@-~]{1,40}+)(?:\*[^?\s]{0,20}+)?\?([bBqQ])\?([^?\r\n]*+)\?=")
_GAP = re.compile(r"[ \t\r\n]*")

# Zero-width space, word joiner, byte order mark, soft hyphen, and all that turns the direction of writing:
# invisible, and so good for nothing but to hide one word in another. Joiners stay: scripts need them.
_INVISIBLE = (
    0xAD,
    0x61C,
    0x200B,
    0x200E,
    0x200F,
    0x2060,
    0xFEFF,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_STRIPPED: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0xD800, 0xE000), *_INVISIBLE), None),
    0x09: " ",
    0x0A: " ",
    0x0D: " ",
    0x2028: " ",
    0x2029: " ",
}
_CONTROLS = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\t\n")
_STRIPPED_LINES = {**_STRIPPED, 0x09: "\t", 0x0A: "\n", 0x0D: None}


def known(charset: str) -> bool:
    """Whether decode() knows this charset by name."""
    return _plain(charset) in _CODECS


def decode(raw: bytes, charset: str = "utf-8") -> str:
    """The text of these bytes; an unknown charset is tried as UTF-8, then read as Windows-1252."""
    name = _CODECS.get(_plain(charset[:60]), "utf-8")
    if name in ("ascii", "utf-8"):
        return _guess(raw)
    try:
        return codecs.decode(raw, name, "replace")
    except (UnicodeError, ValueError):
        # utf-16 and utf-7 raise on some rows of bytes even so.
        return _guess(raw)


def _guess(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def before_cut(raw: bytes) -> bytes:
    """Bytes that were cut off somewhere, without the character of UTF-8 that the cut may have gone through:
    for the sake of one half character all the text would be read as Windows-1252."""
    for back in range(1, min(4, len(raw)) + 1):
        if raw[-back] < 0x80:
            return raw
        if raw[-back] >= 0xC0:
            return raw[:-back]
    return raw


def clean(text: str) -> str:
    """The text on one line and without control, invisible and direction characters, for people and rules."""
    # Asked first because almost all text is clean, and this answer comes at the speed of C.
    return text if text.isprintable() else text.translate(_STRIPPED)


def clean_lines(text: str) -> str:
    """The same with line ends (as \\n) and tabs kept."""
    if text.isascii():
        # Many times faster than the table, and most text.
        return text.encode().translate(None, _CONTROLS).decode()
    return text.translate(_STRIPPED_LINES)


def words(value: str) -> str:
    """A header value with its encoded words decoded; what is no good encoded word stays as it stands."""
    if "=?" not in value:
        return value
    return "".join(_pieces(value))


def _pieces(value: str) -> Iterator[str]:
    place = 0
    charset, pending = "", b""
    while match := _WORD.search(value, place):
        gap = value[place : match.start()]
        raw = _word_bytes(match[2], match[3])
        # RFC 2047 section 6.2: white space between two encoded words is not shown. Some writers cut a
        # character in two between words, so neighbours of one charset are decoded together.
        joined = bool(pending) and _GAP.fullmatch(gap) is not None
        if not joined or match[1] != charset:
            yield decode(pending, charset)
            pending = b""
        if not joined:
            yield gap
        charset, pending = match[1], pending + raw
        place = match.end()
    yield decode(pending, charset)
    yield value[place:]


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    return base64(data)


def base64(data: bytes) -> bytes:
    """The bytes behind a base64 text, as far as it is one; what is not in its alphabet is skipped."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        # Cut short: the last whole group of four is still good.
        kept = _NOT_BASE64.sub(b"", data)
        try:
            return binascii.a2b_base64(kept[: len(kept) // 4 * 4])
        except binascii.Error:
            return b""


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
