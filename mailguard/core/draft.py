"""A stopped message as a draft that its sender can open, mend and send again.

It is what was handed in, without what the way or a program wrote on it: what is sent later is another
message, with an id and signatures of its own. Recipients whom the header does not name stand in Bcc again, as
they stood in the sender's own window, so a draft is for those alone who may see them.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from mailguard.core import address
from mailguard.core.message import read_headers, split

# RFC 5322 section 3.6.7 and what programs on the way add; Bcc is made anew.
_DROPPED = frozenset(
    {
        b"received",
        b"return-path",
        b"delivered-to",
        b"x-original-to",
        b"message-id",
        b"dkim-signature",
        b"arc-seal",
        b"arc-message-signature",
        b"arc-authentication-results",
        b"authentication-results",
        b"received-spf",
        b"bcc",
        b"resent-bcc",
        b"x-unsent",
    }
)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_OURS = b"x-mailguard-"


def draft(content: bytes, recipients: Sequence[str]) -> bytes:
    """The draft of a message, from its bytes as received and the addresses of its envelope."""
    header, _ = split(content)
    kept = b"".join(field for field in _fields(header) if not _is_dropped(field))
    # Outlook opens a file that says so in a window for writing, with a button to send it.
    return b"".join((b"X-Unsent: 1\r\n", _bcc(content, recipients), kept, content[len(header) :]))


def _bcc(content: bytes, recipients: Sequence[str]) -> bytes:
    headers = read_headers(content)
    named = {address.normal(one) for one in (*headers.to, *headers.cc)}
    hidden = [one for one in dict.fromkeys(recipients) if address.normal(one) not in named]
    if not hidden:
        return b""
    return f"Bcc: {_folded(hidden)}\r\n".encode("utf-8", "replace")


def _folded(addresses: Collection[str]) -> str:
    # One a line: no line gets longer than an address.
    return ",\r\n ".join(addresses)


def _fields(header: bytes) -> Iterator[bytes]:
    """The fields of a header, each with the lines that it goes on in; the line that ends it comes last."""
    lines: list[bytes] = []
    for line in _LINE.findall(header):
        if lines and line[:1] not in (b" ", b"\t"):
            yield b"".join(lines)
            lines = []
        lines.append(line)
    if lines:
        yield b"".join(lines)


def _is_dropped(field: bytes) -> bool:
    name = field.partition(b":")[0].strip().lower()
    return name in _DROPPED or name.startswith(_OURS)
