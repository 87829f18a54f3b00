"""HTML to the text that a reader sees, for rules and checks; never for showing.

A handful of passes, each linear on any input: full HTML parsers take quadratic time on deep nesting.
"""

import re
from html.entities import html5

from mailguard.core import charset

# A tag up to its end; a quoted attribute may hold ">" (HTML Living Standard, section 13.2.5). What is never
# closed reaches to the end, as in a browser.
_REST = r"(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?)*+(?:>|\Z)"
# Comments, elements whose content is no text, tags, and what begins like a tag.
_MARKUP = re.compile(
    r"<(?=[a-z/!?])(?:"
    r"!--.*?(?:-->|\Z)"
    rf"|(script|style|head|title|template|object|select|svg)\b{_REST}(?:.*?</\1\b{_REST}|.*)"
    rf"|(/?)([a-z][a-z0-9]*+)({_REST})"
    rf"|[/!?]{_REST})",
    re.DOTALL | re.IGNORECASE,
)
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_BLOCKS = frozenset(
    (
        *("p", "div", "br", "tr", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("hr", "table", "pre", "section", "article", "header", "footer", "address", "form", "center"),
        *("fieldset", "body"),
    )
)
_CELLS = frozenset(("td", "th"))
_ENTITY = re.compile(
    r"&(?:#([0-9]{1,7}+)(?![0-9])|#[xX]([0-9a-fA-F]{1,6}+)(?![0-9a-fA-F])|([a-zA-Z][a-zA-Z0-9]{1,31}));?"
)
_BLANK_LINES = re.compile(r"\n{3,}")

# Where a quotation begins, an indentation begins, and either ends; such characters are cleaned from mail.
_QUOTE, _INDENT, _END = "\x01", "\x02", "\x03"
_MARKS = re.compile("[\x01-\x03]")


def to_text(html: str) -> str:
    """The visible text, a line a block. Lines of quoted mail begin with `> `."""
    text = _SPACE.sub(" ", charset.clean_lines(html))
    # One pass, with a step back into Python at each tag: no single call is long, and other threads get
    # their turn.
    text = _MARKUP.sub(_visible, text)
    text = _ENTITY.sub(_character, text).replace("\u00a0", " ")
    return _BLANK_LINES.sub("\n\n", "\n".join(_lines(text))).strip()


def _visible(match: re.Match[str]) -> str:
    """What a piece of markup leaves of itself in the text."""
    closing, written, rest = match[2], match[3], match[4]
    name = (written or "").lower()
    if name in _BLOCKS:
        return "\n"
    if name in _CELLS and not closing:
        return " "
    if name == "blockquote":
        return _blockquote(closing, rest)
    return " " if match[1] else ""


def _blockquote(closing: str, rest: str) -> str:
    if closing:
        return f"\n{_END}\n"
    # Mail clients mark what they quote; a blockquote without a mark is somebody's indented paragraph.
    attributes = rest.lower()
    return f"\n{_QUOTE if 'cite' in attributes or 'quote' in attributes else _INDENT}\n"


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
