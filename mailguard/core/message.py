"""Reads the header block of a message for the rules and checks; the bytes themselves are never changed.

Own code where the standard library's is slow or fails on hostile mail: everything here is linear, bounded
and never raises. What is too large or too strange comes back as unreadable, with what could be read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from mailguard.core import charset, mailboxes
from mailguard.core.facts import Headers, Named

# The size and number of header fields that are read: Postfix's header_size_limit, and more fields than any
# mail has that was written for people.
BLOCK_LIMIT = 100 * 1024
FIELD_LIMIT = 1000
# Characters of one field that rules and checks see. Address fields are taken apart whole.
VALUE_LIMIT = 16 * 1024
SUBJECT_LIMIT = 998
# RFC 5322 section 2.1.1: no line, and so no id, is longer.
ID_LIMIT = 998
IDS_LIMIT = 100

# RFC 5322 section 3.6.8 for the name, section 4.5 for the white space before the colon.
_FIELD = re.compile(r"^([!-9;-~]++)[ \t]*+:[ \t]*+([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
# A line that neither begins a field nor goes on with one; a block that begins with white space. The postmark
# of an mbox ("From someone Sun Nov 22 ...") is no field either, but no surprise. The line end in front, and
# so one before the first line, makes the search run at the speed of memory.
_STRANGE = re.compile(r"\A\n[ \t]|\n(?![!-9;-~]++[ \t]*+:|[ \t]|\r?(?:\n|\Z)|(?<=\A\n)>?From )")
_FOLD = re.compile(r"\r?\n")
_ID = re.compile(rf"<([^<>\s]{{1,{ID_LIMIT}}}+)>")

# RFC 5322 section 4.5: white space, a fold too, may stand before the colon. The line end in front makes the
# search run at the speed of memory.
_AUTHOR = re.compile(rb"\nfrom[ \t]*+(?:\r?\n[ \t]++)*+:", re.IGNORECASE)

_NOBODY: tuple[tuple[str, ...], bool] = ((), True)
# How many marks of each are read one by one, which happens on the event loop: few people write, and to many.
_ADDRESS_FIELDS = {"from": 1000, "sender": 1000, "to": 5000, "cc": 5000, "reply-to": 1000}
_RANKS = {"1": "high", "2": "high", "4": "low", "5": "low"}
_IMPORTANCE_ORDER = ("importance", "x-priority", "priority", "x-msmail-priority")
_IMPORTANCE = frozenset(_IMPORTANCE_ORDER)
_WORDS = {"high": "high", "urgent": "high", "low": "low", "non-urgent": "low"}


def split(content: bytes) -> tuple[bytes, int]:
    """The header block (its last line end included) and where the body begins.

    RFC 5322 section 2.1: the first empty line ends the header; without one, all of it is header.
    """
    if content.startswith((b"\r\n", b"\n")):
        return b"", content.index(b"\n") + 1
    end = content.find(b"\n\r\n")
    bare = content.find(b"\n\n", 0, len(content) if end < 0 else end)
    if bare >= 0:
        return content[: bare + 1], bare + 2
    if end >= 0:
        return content[: end + 1], end + 3
    return content, len(content)


def several_authors(header: bytes) -> bool:
    """Whether there is more than one From field in a header block: RFC 5322 section 3.6 allows one, and of
    two every program shows another."""
    return len(_AUTHOR.findall(b"\n" + header)) > 1


def read_headers(content: bytes) -> Headers:
    """What the header block says, decoded for reading; never raises, and linear in at most BLOCK_LIMIT."""
    block, _ = split(content[: BLOCK_LIMIT + 4])
    whole = len(block) <= BLOCK_LIMIT
    text, eight_bit = _text(block[:BLOCK_LIMIT])
    found = _FIELD.findall(text)
    sound = (
        whole and len(found) <= FIELD_LIMIT and "\x00" not in text and _STRANGE.search("\n" + text) is None
    )
    raw: dict[str, list[str]] = {}
    for name, value in found[:FIELD_LIMIT]:
        unfolded = (_FOLD.sub("", value) if "\n" in value else value).rstrip("\r \t")
        raw.setdefault(name.lower(), []).append(_decoded(unfolded) if eight_bit else unfolded)
    sound = sound and (len(text) <= VALUE_LIMIT or not _cut(raw))
    joined = {name: ",".join(raw[name]) if name in raw else "" for name in _ADDRESS_FIELDS}
    lists = [
        mailboxes.split(value, _ADDRESS_FIELDS[name]) if value else _NOBODY for name, value in joined.items()
    ]
    from_, sender, to, cc, reply_to = [listed for listed, _ in lists]
    fields = {name: tuple(map(_shown, values)) for name, values in raw.items()}
    return Headers(
        from_=_clean(from_),
        sender=_clean(sender),
        to=_clean(to),
        cc=_clean(cc),
        reply_to=_clean(reply_to),
        named=tuple(_named(joined, lists)),
        subject=_first(fields, "subject")[:SUBJECT_LIMIT],
        message_id=_first(fields, "message-id")[: ID_LIMIT + 2],
        in_reply_to=_ids(raw.get("in-reply-to", ())),
        references=_ids(raw.get("references", ())),
        importance=_importance(raw),
        fields=fields,
        readable=sound and all(listed_well for _, listed_well in lists),
    )


def _named(joined: Mapping[str, str], lists: Sequence[tuple[tuple[str, ...], bool]]) -> Iterator[Named]:
    for (field, value), (addresses, listed_well) in zip(joined.items(), lists, strict=True):
        # What cannot be taken apart is flagged for that already.
        if not value or not listed_well or _plainly_named(value, addresses):
            continue
        for name, who in mailboxes.named(value):
            yield Named(field=field, name=charset.words(name), address=who)


def _plainly_named(value: str, addresses: Sequence[str]) -> bool:
    """Whether no name in this list can mislead: nothing in it is encoded or invisible, and each @ is that of
    an address. So most are, and are not taken apart twice."""
    if "=?" in value or not value.isprintable():
        return False
    signs = value.count("@") if value.isascii() else sum(map(value.count, "@\uff20\ufe6b"))
    return signs == sum(["@" in address for address in addresses])


def _text(block: bytes) -> tuple[str, bool]:
    """The block as text, and whether its fields are still to be decoded, one by one (_decoded)."""
    try:
        return block.decode("utf-8"), False
    except UnicodeDecodeError:
        return block.decode("latin-1"), True


def _decoded(value: str) -> str:
    return charset.decode(value.encode("latin-1"))


def _cut(raw: Mapping[str, list[str]]) -> bool:
    """Whether rules and checks would see less of some field than it says."""
    return any(
        len(value) > VALUE_LIMIT
        for name, values in raw.items()
        if name not in _ADDRESS_FIELDS
        for value in values
    )


def _first(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name)
    return values[0] if values else ""


def _clean(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(charset.clean, addresses)) if addresses else ()


def _shown(value: str) -> str:
    # As nearly all values are.
    if "=?" not in value and value.isprintable():
        return value[:VALUE_LIMIT]
    return charset.clean(charset.words(value[:VALUE_LIMIT]))


def _ids(values: Sequence[str]) -> tuple[str, ...]:
    """The ids in brackets, oldest first, each once. Of very many the first and the last are kept: the
    thread's beginning, and what is answered."""
    if not values:
        return ()
    ids = list(dict.fromkeys(_each_id(values)))
    half = IDS_LIMIT // 2
    return tuple(ids if len(ids) <= IDS_LIMIT else ids[:half] + ids[-half:])


def _each_id(values: Sequence[str]) -> Iterator[str]:
    for value in values:
        found = _ID.findall(value)
        bare = value.strip()
        if not found and "@" in bare and not set(" \t<>") & set(bare):
            # Some writers forget the brackets.
            found = [bare[:ID_LIMIT]]
        yield from map(charset.clean, found)


def _importance(raw: Mapping[str, list[str]]) -> str:
    """High, normal or low, by RFC 4021 section 2.1 (Importance, Priority) and the X- fields of practice."""
    if _IMPORTANCE.isdisjoint(raw):
        return "normal"
    for name in _IMPORTANCE_ORDER:
        word = _first(raw, name).strip().lower()
        if word:
            # X-Priority is a number with a word behind: "1 (Highest)".
            return _WORDS.get(word) or _RANKS.get(word[:1], "normal")
    return "normal"
