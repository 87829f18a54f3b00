"""The bytes that leave: what came in, bit for bit, behind one Received field and without the fields that
are nobody's business but the sender's.

Removed from the top header are Bcc and Resent-Bcc (RFC 5322 section 3.6.3) and mailguard's own control
fields. A signature that names one of them (DKIM's `h=`) no longer verifies: keeping recipients blind
weighs more. Every other signature holds, because nothing else is touched.
"""

import ipaddress
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from itertools import islice

from mailguard.core import message as reading
from mailguard.core.hold import HeldMessage

# The names, in any case, and the white space of RFC 5322 section 4.5 before the colon, a fold included.
# The field goes on for as long as its lines begin with white space. The line end in front makes the search
# run at the speed of memory, so a header is searched with one put before it.
_VALUE = rb"[ \t]*+(?:\r?\n[ \t]++)*+:[^\n]*+(?:\n[ \t][^\n]*+)*+"
_DROPPED = re.compile(
    rb"\n(?:(?:(?:resent-)?bcc|x-mailguard-[!-9;-~]*+)" + _VALUE + rb"(?:\n|\Z))++", re.IGNORECASE
)
_RECEIVED = re.compile(rb"\nreceived" + _VALUE, re.IGNORECASE)
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_])?|\[[A-Za-z0-9.:]{2,60}\]")
_WORD = re.compile(r"[A-Za-z0-9]{1,30}")

# The name by which our own Received lines are known again.
_PROGRAM = "mailguard"

# Postfix's hopcount_limit.
HOPS_LIMIT = 50
# A message that was received through this guard and is sent on with its old header ("redirect") has
# passed it before, without any loop. Not this often.
PASSES_LIMIT = 5
# A trace field of ours is shorter.
_FIELD_LIMIT = 2000


def outgoing(message: HeldMessage, content: bytes, hostname: str) -> bytes:
    """The bytes for the outgoing server, from the bytes as received; `hostname` is our own name."""
    header, _ = reading.split(content)
    rest = memoryview(content)[len(header) :]
    return b"".join((_received(message, hostname), without_hidden(header), rest))


def without_hidden(header: bytes) -> bytes:
    """A header block without Bcc, Resent-Bcc and our own control fields."""
    return _DROPPED.sub(b"\n", b"\n" + header)[1:]


def loops(header: bytes, hostname: str) -> bool:
    """Whether a message with this header block goes in a circle: too many hosts say in it that they handed it
    on (RFC 5321 section 6.3), or this very guard says so too often."""
    met = 0
    for hops, field in enumerate(_received_fields(header)):
        met += _is_ours(field, hostname)
        if hops >= HOPS_LIMIT or met >= PASSES_LIMIT:
            return True
    return False


def passed(header: bytes, hostname: str) -> bool:
    """Whether this very guard has passed a message with this header block on before."""
    return any(_is_ours(field, hostname) for field in islice(_received_fields(header), HOPS_LIMIT))


def _is_ours(field: bytes, hostname: str) -> bool:
    ours = f"by {hostname.lower()} ({_PROGRAM})".encode()
    return ours in b" ".join(field[:_FIELD_LIMIT].lower().split())


def _received_fields(header: bytes) -> Iterator[bytes]:
    return (match[0] for match in _RECEIVED.finditer(b"\n" + header))


def _received(message: HeldMessage, hostname: str) -> bytes:
    """The trace line of RFC 5321 section 4.4, in 7 bit whatever the client said of itself.

    It never has a `for` clause: that would tell every reader of one envelope-only recipient.
    """
    source = f"from {_source(message)}\r\n\t" if message.peer else ""
    protocol = f" with {message.protocol}" if _WORD.fullmatch(message.protocol) else ""
    date = _date(message.received_at.replace(microsecond=0))
    text = f"Received: {source}by {_name(hostname)} ({_PROGRAM}){protocol} id {message.id};\r\n\t{date}\r\n"
    return text.encode("ascii", "replace")


# Many that leave together came in the same second, and to write it takes as long as all the rest here.
@lru_cache(maxsize=64)
def _date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def _source(message: HeldMessage) -> str:
    """What the client called itself, and the address it came from."""
    literal = _literal(message.peer)
    return f"{_name(message.helo)} ({literal})" if literal else _name(message.helo)


# The same few clients send all the mail, and reading an address takes longer than all the rest here.
@lru_cache(maxsize=4096)
def _literal(peer: str) -> str:
    """The address literal of RFC 5321 section 4.1.3; "" for what is no IP address."""
    try:
        # The zone of a link-local address means nothing to another host.
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return f"[{mapped}]" if mapped else f"[IPv6:{address}]"
    return f"[{address}]"


def _name(name: str) -> str:
    return name if _DOMAIN.fullmatch(name) else "unknown"
