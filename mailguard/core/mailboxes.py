"""Takes an address header (From, To, Cc, Reply-To) apart into bare addresses, as they were written.

It reads the header's raw text, before any encoded word is decoded: a comma or an `@` inside an encoded
name is part of the name. What the guard holds by is always the envelope; these addresses explain it.
"""

import re
from dataclasses import field

from mailguard.core.value import dataclass

# One token of RFC 5322 section 3.4. Each alternative takes at least one character and none can be
# re-tried another way, so that reading is linear.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|\\.|\[[^\[\]]*+\]|[()<>,;:"\[]|[^"\\()<>,;:\[]++|\\', re.DOTALL)
# In a comment a quotation mark is an ordinary character.
_IN_COMMENT = re.compile(r"\\.|[()]|[^\\()]++|\\", re.DOTALL)
# What almost every list is made of: `name <address>`, `"name" <address>` or `address`, and a comma.
_USUAL = re.compile(
    r'[ \t]*+(?:"[^"\\]*+"[ \t]*+|[^"\\()<>,;:]*)<([^"\\()<>,;:\s]++)>[ \t]*+(?:,|\Z)'
    r'|[ \t]*+([^"\\()<>,;:\s]++)[ \t]*+(?:,|\Z)'
)
# More than this many marks are not read: a list of a thousand addresses in odd spellings has fewer.
TOKEN_LIMIT = 5000
_SPACE = re.compile(r"[ \t\r\n]+")


def split(value: str, limit: int = TOKEN_LIMIT) -> tuple[tuple[str, ...], bool]:
    """The addresses of one header value, and whether the whole of it made sense.

    At most `limit` marks of it are read one by one, and what is spelled as usual at its beginning besides.
    Display names, comments and group names are dropped. What is no address comes back as it stands, for
    the reader to treat as a stranger's.
    """
    usual: list[str] = []
    place = 0
    while item := _USUAL.match(value, place):
        usual.append(item[1] or item[2])
        place = item.end()
    if place == len(value):
        return tuple(usual), True
    reader, whole = _read(value, place, limit)
    return (*usual, *reader.addresses), whole


def named(value: str) -> tuple[tuple[str, str], ...]:
    """Each address of one header value with all that stands around it for people to read: display name,
    comments, the name of its group. Encoded words are not decoded."""
    reader, _ = _read(value, 0, TOKEN_LIMIT)
    return tuple(zip(reader.names, reader.addresses, strict=True))


def _read(value: str, place: int, limit: int) -> "tuple[_Reader, bool]":
    reader = _Reader()
    for _ in range(limit):
        mark = (_IN_COMMENT if reader.comments else _TOKEN).match(value, place)
        if mark is None:
            break
        reader.take(mark[0])
        place = mark.end()
    reader.end()
    return reader, reader.sound and place == len(value)


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Where in the list the reading stands: `bare` is text outside of brackets, `angle` the text inside,
    `said` is comments and the name of a group."""

    addresses: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    sound: bool = True
    comments: int = 0
    bare: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    angle: list[str] | None = None
    bracketed: str | None = None

    def take(self, mark: str) -> None:
        if mark == "(":
            self.comments += 1
        elif self.comments:
            self.comments -= 1 if mark == ")" else 0
            self.said.append(mark if self.comments else " ")
        elif self.angle is not None:
            self._inside(mark)
        else:
            self._outside(mark)

    def _inside(self, mark: str) -> None:
        angle = self.angle if self.angle is not None else []
        if mark == ">":
            self.bracketed = "".join(angle).strip()
            self.angle = None
            return
        self.sound = self.sound and mark not in ("<", ")", ";", '"')
        angle.append(mark)

    def _outside(self, mark: str) -> None:
        if mark == "<":
            if self.bracketed is not None:
                self.sound = False
                self._flush()
            self.angle = []
        elif mark in ",;":
            self._flush()
        elif mark == ":" and self.bracketed is None:
            # The name of a group (RFC 5322 section 3.4) is nobody's address.
            self.said += [*self.bare, " "]
            self.bare.clear()
        else:
            # Text behind the brackets, or a quotation mark without its second.
            behind = self.bracketed is not None and not mark.isspace()
            self.sound = self.sound and not behind and mark not in (")", ">", ":", '"')
            self.bare.append(mark)

    def _flush(self) -> None:
        text, name = self.bracketed, "".join(self.bare)
        if text is None:
            text, name = _SPACE.sub(" ", name).strip(), ""
        if text:
            self.addresses.append(text)
            self.names.append(f"{name} {''.join(self.said)}".strip())
            self.said.clear()
        self.bare.clear()
        self.bracketed = None

    def end(self) -> None:
        if self.comments or self.angle is not None:
            self.sound = False
            if self.angle is not None:
                self.bracketed = "".join(self.angle).strip()
        self._flush()
