"""Finds the parts of a message (RFC 2045 to 2049, 2183, 2231) in one pass over its bytes.

Iterative and linear: each line that begins with two dashes is looked up once among the boundaries that
are open, however deep they are nested. Nothing raises; what is beyond the bounds is not read, and said.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from mailguard.core import charset
from mailguard.core.value import dataclass

# Postfix's mime_nesting_limit, and far more parts than a person ever sent.
DEPTH_LIMIT = 100
PART_LIMIT = 1000
HEADER_LIMIT = 100 * 1024
# Lines that begin with two dashes and may be a boundary: a database dump has many that are not.
MARK_LIMIT = 200_000
# RFC 2046 section 5.1.1 allows a boundary of 70 characters; some writers use more.
_MARK_LENGTH = 300
_STEP = 1024 * 1024

_FIELD = re.compile(
    rb"\n(content-(?:type|disposition|transfer-encoding|id))[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))', re.DOTALL)
_PARAMETERS = 200
_ESCAPED = re.compile(r'\\(["\\])')
_LINE_END = re.compile(r"\r?\n")
_SOMETHING = re.compile(rb"\S")
_SHORT = 100
_NONE: Mapping[str, str] = MappingProxyType({})
_MAIN = re.compile(r"\s*+([^\s;()<>@,\"]++)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part that has no parts itself; its body is content[start:end], still encoded.

    `kind` is its media type in lower case; `name` the file name that it gives itself, or None; `parent` the
    subtype of the multipart it stands in ("" for none); `alternative` numbers the innermost
    multipart/alternative around it (0 for none); `embedded` tells that it has a Content-ID, by which the
    text can show it.
    """

    kind: str
    charset: str
    encoding: str
    disposition: str
    name: str | None
    embedded: bool
    parent: str
    alternative: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """All parts in order; `whole` is false where a bound was met or a multipart had no parts to be found."""

    parts: tuple[Part, ...]
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Multipart:
    boundary: bytes
    subtype: str
    alternative: int


def walk(content: bytes) -> Parts:
    """The parts of a message, from its bytes; never raises."""
    walker = _Walker(content=content)
    walker.run()
    return Parts(parts=tuple(walker.parts), whole=walker.whole)


@dataclass(kw_only=True, slots=True)
class _Walker:
    content: bytes
    parts: list[Part] = field(default_factory=list)
    whole: bool = True
    open: list[_Multipart] = field(default_factory=list)
    levels: dict[bytes, int] = field(default_factory=dict)
    leaf: tuple[Mapping[bytes, str], int] | None = None
    place: int = 0
    marks: int = 0
    alternatives: int = 0

    def run(self) -> None:
        self._entity()
        while self.open:
            found = self._delimiter(len(self.content))
            if found is None:
                # A multipart that no boundary line ever came for is none; where there is nothing behind its
                # header either, nothing is missed.
                blank = _is_blank(self.content, self.place, len(self.content))
                self.whole = self.whole and (bool(self.parts or self.leaf) or blank)
                break
            start, level, closing = found
            self._end_leaf(start)
            self._close(level if closing else level + 1)
            if closing:
                continue
            if len(self.parts) >= PART_LIMIT:
                self.whole = False
                return
            self._entity()
        self._end_leaf(len(self.content))

    def _delimiter(self, limit: int) -> tuple[int, int, bool] | None:
        """The next boundary line that begins before `limit`: where, of which level, and whether it closes;
        the reading goes on behind it."""
        at = self._dashes(max(self.place - 1, 0), limit)
        while at >= 0:
            self.marks += 1
            if self.marks > MARK_LIMIT:
                self.whole = False
                return None
            end = self.content.find(b"\n", at + 1, at + _MARK_LENGTH)
            line_end = end + 1 if end >= 0 else min(len(self.content), at + _MARK_LENGTH)
            mark = self.content[at + 3 : line_end].rstrip(b" \t\r\n")
            closing = mark not in self.levels and mark.endswith(b"--")
            level = self.levels.get(mark[:-2] if closing else mark)
            if level is not None:
                self.place = line_end
                return at + 1, level, closing
            at = self._dashes(at + 1, limit)
        return None

    def _dashes(self, begin: int, limit: int) -> int:
        """Where the next line begins with two dashes, less one; -1 if none does before `limit`."""
        # In steps, so that no single call keeps the other threads waiting.
        while begin < limit:
            at = self.content.find(b"\n--", begin, min(begin + _STEP, limit))
            if at >= 0:
                return at
            begin += _STEP - 2
        return -1

    def _entity(self) -> None:
        """Read the header that begins here: a multipart is opened, anything else is a leaf."""
        begin = self.place
        body = self._header_end(begin)
        if self.levels:
            # A part whose header runs straight into the next boundary has no body.
            ahead = self._delimiter(body)
            self.place = body
            if ahead is not None:
                body = self.place = ahead[0]
        fields = _fields(self.content[begin:body])
        kind, parameters = _parsed(fields.get(b"content-type", ""))
        boundary = parameter(parameters, "boundary").rstrip().encode("utf-8", "replace")
        self.place = body
        if kind.startswith("multipart/") and boundary and len(self.open) < DEPTH_LIMIT:
            self._open(kind.removeprefix("multipart/"), boundary)
            return
        self.leaf = (fields, body)

    def _header_end(self, begin: int) -> int:
        """Where the body of the entity that begins here begins."""
        limit = begin + HEADER_LIMIT
        for empty in (b"\r\n", b"\n"):
            if self.content.startswith(empty, begin):
                return begin + len(empty)
        end = self.content.find(b"\n\r\n", begin, limit)
        bare = self.content.find(b"\n\n", begin, end if end >= 0 else limit)
        if bare >= 0:
            return bare + 2
        if end >= 0:
            return end + 3
        self.whole = self.whole and limit >= len(self.content)
        return min(limit, len(self.content))

    def _open(self, subtype: str, boundary: bytes) -> None:
        alternative = self.open[-1].alternative if self.open else 0
        if subtype == "alternative":
            self.alternatives += 1
            alternative = self.alternatives
        self.levels[boundary] = len(self.open)
        self.open.append(_Multipart(boundary=boundary, subtype=subtype, alternative=alternative))

    def _close(self, level: int) -> None:
        if level < len(self.open):
            del self.open[level:]
            self.levels = {multipart.boundary: index for index, multipart in enumerate(self.open)}

    def _end_leaf(self, at: int) -> None:
        """The leaf that is being read ends here. One that calls itself a multipart could not be taken apart,
        which is no loss where there is nothing in it."""
        if self.leaf is None:
            return
        fields, start = self.leaf
        self.leaf = None
        # RFC 2046 section 5.1.1: the line end before a boundary belongs to the boundary.
        end = at
        if at < len(self.content):
            end -= 2 if self.content.endswith(b"\r\n", start, at) else 1
        inside = self.open[-1] if self.open else None
        part = _part(fields, inside, start, max(start, end))
        if part.kind.startswith("multipart/") and not _is_blank(self.content, part.start, part.end):
            self.whole = False
        self.parts.append(part)


def _is_blank(content: bytes, begin: int, end: int) -> bool:
    # In steps, as above.
    steps = range(begin, end, _STEP)
    return all(_SOMETHING.search(content, at, min(at + _STEP, end)) is None for at in steps)


def _fields(block: bytes) -> Mapping[bytes, str]:
    # Read as Latin-1, so that the bytes can be had back; text in it is decoded where it is used.
    found: dict[bytes, str] = {}
    for name, value in _FIELD.findall(b"\n" + block):
        found.setdefault(name.lower(), _LINE_END.sub("", value.decode("latin-1")))
    return found


def _part(fields: Mapping[bytes, str], inside: _Multipart | None, start: int, end: int) -> Part:
    kind, parameters = _parsed(fields.get(b"content-type", ""))
    disposition, more = _parsed(fields.get(b"content-disposition", ""))
    default = "message/rfc822" if inside and inside.subtype == "digest" else "text/plain"
    name = _name(more, "filename")
    return Part(
        kind=kind if "/" in kind else default,
        charset=parameter(parameters, "charset"),
        encoding=_main(fields.get(b"content-transfer-encoding", "")),
        disposition=disposition,
        name=_name(parameters, "name") if name is None else name,
        embedded=bool(fields.get(b"content-id", "").strip()),
        parent=inside.subtype if inside else "",
        alternative=inside.alternative if inside else 0,
        start=start,
        end=end,
    )


def _main(value: str) -> str:
    match = _MAIN.match(value) if value else None
    return match[1].lower() if match else ""


def _parsed(value: str) -> tuple[str, Mapping[str, str]]:
    """A field's main word in lower case, and its parameters by lower-case name, the first of each."""
    if not value:
        return "", _NONE
    return _parsed_short(value) if len(value) <= _SHORT else _parsed_anew(value)


# Nearly all parts have one of a few; what is longer is remembered for nobody.
@lru_cache(maxsize=256)
def _parsed_short(value: str) -> tuple[str, Mapping[str, str]]:
    return _parsed_anew(value)


def _parsed_anew(value: str) -> tuple[str, Mapping[str, str]]:
    parameters: dict[str, str] = {}
    for match in islice(_PARAMETER.finditer(value), _PARAMETERS):
        text = match[3].strip() if match[2] is None else _ESCAPED.sub(r"\1", match[2])
        parameters.setdefault(match[1].lower(), text)
    return _main(value), parameters


def parameter(parameters: Mapping[str, str], name: str) -> str:
    """A parameter's text, however it is written: plain, or in RFC 2231's extended or continued form."""
    if not parameters:
        return ""
    if name + "*" in parameters:
        return _extended([(parameters[name + "*"], True)])
    pieces: list[tuple[str, bool]] = []
    for number in range(_PARAMETERS):
        key = f"{name}*{number}"
        if key + "*" in parameters:
            pieces.append((parameters[key + "*"], True))
        elif key in parameters:
            pieces.append((parameters[key], False))
        else:
            break
    if pieces:
        return _extended(pieces)
    return charset.decode(parameters.get(name, "").encode("latin-1", "replace"))


def _extended(pieces: Sequence[tuple[str, bool]]) -> str:
    """The text of RFC 2231 pieces; only the first names the charset (section 4.1)."""
    first, coded = pieces[0]
    named = ""
    if coded and first.count("'") >= 2:
        named, _, first = first.split("'", 2)
    rest = [(first, coded), *pieces[1:]]
    raw = (unquote_to_bytes(text) if percent else text.encode("latin-1", "replace") for text, percent in rest)
    return charset.decode(b"".join(raw), named or "utf-8")


def _name(parameters: Mapping[str, str], name: str) -> str | None:
    """A file name for reading: decoded, on one line, of sane length."""
    if not any(key.partition("*")[0] == name for key in parameters):
        return None
    # RFC 2047 section 5 forbids encoded words in a parameter; many programs write nothing else.
    return charset.clean(charset.words(parameter(parameters, name)))[:255].strip()
