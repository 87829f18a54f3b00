"""Tells what a mail quotes: where the sender's own words end, and whom the quoted headers name.

On a relay that only sees outgoing mail the quoted headers are often the only trace of the mail that is
answered. Every pattern here works line by line and is linear on any text.
"""

import re
from collections.abc import Iterator

from mailguard.core.prose import fold
from mailguard.core.value import dataclass

# What is read of a text: habits show in the first pages.
TEXT_LIMIT = 12_000
_QUOTED_LIMIT = 6_000
_BLOCKS = 12
_ADDRESSES = 60

# From here on everything is somebody else's mail. The line end in front makes the search run at the speed of
# memory, so a text is searched with one put before it.
_MARKS = (
    r"-{2,}[ \t]*+(?:original (?:message|appointment)"
    r"|forwarded (?:by|message)|message (?:d['\u2019]origine|transf[ée]r[ée]"
    r"|original|initial)|urspr[uü]ngliche nachricht|weitergeleitete nachricht|inline attachment)"
    r"|begin forwarded message|_{10,}[ \t]*+$|(?:from|de|von|to)[ \t]?:[ \t]*+\S"
)
# As Lotus Notes writes it. It is dear to look for, and nothing without such a date can match.
_DATE = re.compile(r"/\d\d?/\d\d")
_DATED = r"|[^\n]{3,80}? on \d\d?/\d\d?/\d{2,4} |\d\d?/\d\d?/\d{2,4} \d\d?:\d\d(?::\d\d)? ?[ap]m[ \t]*+$"
_CUT = re.compile(rf"\n[ \t]*+(?:{_MARKS})", re.MULTILINE | re.IGNORECASE)
_CUT_DATED = re.compile(rf"\n[ \t]*+(?:{_MARKS}{_DATED})", re.MULTILINE | re.IGNORECASE)
_ATTRIBUTION = re.compile(
    r"^[> \t]*+(?:on|le|am|el|il)[ ,][^\n]{4,200}?(?:wrote|writes|a [ée]crit"
    r"|schrieb[^\n]{0,80}|escribi[oó]|ha scritto) ?:[ \t]*+$"
    r"|^(?![ \t]*+>)[^\n]{4,120}? (?:wrote|writes|a [ée]crit) ?:[ \t]*+$",
    re.MULTILINE | re.IGNORECASE,
)
_HEADER = re.compile(
    r"^[>* \t]*+(?:(?P<who>from|de|von|da)|(?P<to>to|cc|[àa]|an|para|copie(?: [àa])?|kopie))"
    r"\*?[ \t]?:\*?[ \t]*+(?P<value>[^\n]{0,400})"
    r"|^[> \t]*+(?P<lotus>[^\n]{3,80}?) on \d\d?/\d\d?/\d{2,4} \d"
    r"|^[> \t]*+(?P<above>[^\n\d]{3,60})\n[> \t]*+(?:sent by:[^\n]{0,60}\n[> \t]*+)?"
    r"\d\d?/\d\d?/\d{2,4} \d\d?:\d\d",
    re.MULTILINE | re.IGNORECASE,
)
_FOLDED = re.compile(r"\n[> \t]*+([^\n:]{3,400})")
_ADDRESS = re.compile(r"[a-z0-9._%+'\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,6}")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One quoted header: the words of its From, and those of its To and Cc, folded."""

    author: frozenset[str]
    others: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotation:
    """`own` is the sender's text, `quoted` the rest; `blocks` are quoted headers, the newest first;
    `addresses` all that the quoted part spells out, folded."""

    own: str
    quoted: str = ""
    blocks: tuple[Block, ...] = ()
    addresses: frozenset[str] = frozenset()


def words_of(text: str) -> frozenset[str]:
    """The folded words of a header value or a name, of two letters and more."""
    return frozenset(_WORD.findall(fold(text)))


def read(text: str) -> Quotation:
    """Take a text apart."""
    text = text[:TEXT_LIMIT]
    dated = "/" in text and _DATE.search(text) is not None
    # The place of the line end that was put before it is that of the line itself in the text.
    cut = (_CUT_DATED if dated else _CUT).search("\n" + text)
    begin = _begin(text, cut.start()) if cut else len(text)
    own, quoted = text[:begin], text[begin:]
    # A single character is found many times faster than two.
    introduces = ":" in own and (":\n" in own or own.endswith(":"))
    attributions = [match[0] for match in _ATTRIBUTION.finditer(own)] if introduces else []
    if attributions or (">" in own and ("\n>" in own or own.startswith(">"))):
        own, inline = _apart(own, frozenset(attributions))
        quoted = inline + "\n" + quoted
    if not quoted:
        return Quotation(own=own)
    quoted = quoted[:_QUOTED_LIMIT]
    found = [Block(author=words_of(line), others=frozenset()) for line in attributions[-1:]]
    blocks = (*found, *_blocks(quoted))[:_BLOCKS]
    return Quotation(own=own, quoted=quoted, blocks=blocks, addresses=addresses_in(quoted))


def addresses_in(text: str) -> frozenset[str]:
    """The addresses that a text spells out, the first ones, folded."""
    return frozenset(_ADDRESS.findall(text.lower())[:_ADDRESSES]) if "@" in text else frozenset()


def _begin(text: str, cut: int) -> int:
    """Where the quoted part begins: Lotus Notes writes the author in a line of his own above the date."""
    if not text[cut : cut + 4].strip()[:1].isdigit():
        return cut
    above = text[:cut].rstrip()
    line = above.rpartition("\n")[2]
    return len(above) - len(line) if 2 < len(line) < 60 and not any(map(str.isdigit, line)) else cut


def _apart(text: str, attributions: frozenset[str]) -> tuple[str, str]:
    own: list[str] = []
    quoted: list[str] = []
    for line in text.split("\n"):
        if line.rstrip() in ("--", "-- "):
            break
        (quoted if line.lstrip().startswith(">") or line in attributions else own).append(line)
    return "\n".join(own), "\n".join(line.lstrip("> \t") for line in quoted)


def _blocks(quoted: str) -> Iterator[Block]:
    author: frozenset[str] | None = None
    others: frozenset[str] = frozenset()
    for header in _HEADER.finditer(quoted):
        if header["to"]:
            others |= words_of(header["value"] + _continued(quoted, header.end(), header["value"]))
            author = author or frozenset()
            continue
        if author is not None:
            yield Block(author=author, others=others)
        author = words_of(header["value"] or header["lotus"] or header["above"] or "")
        others = frozenset()
    if author is not None:
        yield Block(author=author, others=others)


def _continued(text: str, place: int, value: str) -> str:
    """The rest of a folded list: a line that ends in a comma goes on in the next."""
    rest = ""
    for _ in range(8):
        if not (rest or value).rstrip().endswith((",", ";")):
            break
        line = _FOLDED.match(text, place)
        if line is None:
            break
        rest += " " + line[1]
        place = line.end()
    return rest
