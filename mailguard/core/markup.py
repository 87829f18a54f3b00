"""HTML to the text that a reader sees, for rules and checks; never for showing.

A handful of passes, each linear on any input: full HTML parsers take quadratic time on deep nesting.
"""

import re
from html.entities import html5

from mailguard.core import charset

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Elements whose content is no text. One that is never closed reaches to the end, as in a browser.
_HIDDEN = re.compile(
    r"<(script|style|head|title|template|object|select|svg)\b[^>]*+(?:>.*?(?:</\1\b[^>]*+(?:>|\Z)|\Z)|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
# A tag up to its end; a quoted attribute may hold ">" (HTML Living Standard, section 13.2.5).
_REST = r"(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?)*+(?:>|\Z)"
_BLOCKQUOTE = re.compile(rf"<(/?)blockquote\b({_REST})", re.IGNORECASE)
_BLOCK = re.compile(
    r"</?(?:p|div|br|tr|li|ul|ol|dl|dt|dd|h[1-6]|hr|table|pre|section|article|header|footer|address|form"
    rf"|center|fieldset|body)\b{_REST}",
    re.IGNORECASE,
)
_CELL = re.compile(rf"<t[dh]\b{_REST}", re.IGNORECASE)
_TAG = re.compile(rf"<[a-z/!?]{_REST}", re.IGNORECASE)
_ENTITY = re.compile(
    r"&(?:#([0-9]{1,7}+)(?![0-9])|#[xX]([0-9a-fA-F]{1,6}+)(?![0-9a-fA-F])|([a-zA-Z][a-zA-Z0-9]{1,31}));?"
)
_BLANK_LINES = re.compile(r"\n{3,}")

# Where a quotation begins, an indentation begins, and either ends; such characters are cleaned from mail.
_QUOTE, _INDENT, _END = "\x01", "\x02", "\x03"
_MARKS = re.compile("[\x01-\x03]")


def to_text(html: str) -> str:
    """The visible text, a line a block. Lines of quoted mail begin with `> `."""
    text = charset.clean_lines(html)
    text = _COMMENT.sub("", text)
    text = _HIDDEN.sub(" ", text)
    text = _SPACE.sub(" ", text)
    text = _BLOCKQUOTE.sub(_blockquote, text)
    text = _BLOCK.sub("\n", text)
    text = _CELL.sub(" ", text)
    text = _TAG.sub("", text)
    text = _ENTITY.sub(_character, text).replace("\u00a0", " ")
    return _BLANK_LINES.sub("\n\n", "\n".join(_lines(text))).strip()


def _blockquote(match: re.Match[str]) -> str:
    if match[1]:
        return f"\n{_END}\n"
    # Mail clients mark what they quote; a blockquote without a mark is somebody's indented paragraph.
    quoted = "cite" in match[2].lower() or "quote" in match[2].lower()
    return f"\n{_QUOTE if quoted else _INDENT}\n"


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return html5.get(name + ";") or html5.get(name) or match[0]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    # A character that charset.clean_lines takes out is not to come in by number.
    return charset.clean_lines(chr(number)) if number < 0x110000 else ""


def _lines(text: str) -> list[str]:
    lines: list[str] = []
    around: list[str] = []
    quotes = 0
    for line in text.split("\n"):
        if line in (_QUOTE, _INDENT):
            around.append(line)
            quotes += line == _QUOTE
        elif line == _END:
            quotes -= bool(around) and around.pop() == _QUOTE
        else:
            bare = _MARKS.sub("", line).strip()
            lines.append(f"> {bare}" if quotes else bare)
    return lines
