"""The inside of a message for a reader: its text, the names of what is attached, and its HTML, cleaned."""

import nh3

from mailguard.core.body import TEXT_LIMIT, attached, html_text, read_body
from mailguard.core.value import dataclass

# As much as anybody reads on a page; the whole is in the source.
LONGEST_TEXT = 60_000
MOST_FILES = 100

# What a letter needs to look like one. No pictures, no styles, no links: nothing that could be fetched.
_TAGS = {
    *("p", "br", "div", "span", "hr", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("b", "strong", "i", "em", "u", "s", "small", "sub", "sup", "code", "tt", "a"),
    *("ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
_ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "*": {"dir", "lang"}}


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """Something attached; `size` in bytes, as it would be on a disk."""

    name: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """`cut` tells that the text goes on, `html` that there is HTML to be shown."""

    text: str
    cut: bool
    files: tuple[File, ...]
    html: bool


def read(content: bytes) -> Letter:
    """What a reader sees of a message. Linear in its length, and to be done in a thread."""
    body = read_body(content)
    files = [File(name=name, size=size) for name, size in attached(content)]
    return Letter(
        text=body.text[:LONGEST_TEXT].strip("\n"),
        cut=len(body.text) > LONGEST_TEXT or not body.complete,
        files=tuple(files[:MOST_FILES]),
        html=bool(html_text(content, 1)),
    )


def clean_html(content: bytes) -> str:
    """The HTML of a message without anything that acts, moves or fetches; "" where there is none."""
    found = html_text(content, TEXT_LIMIT)
    cleaned = nh3.clean(found, tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None, url_schemes=set())
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{cleaned}</body></html>'
