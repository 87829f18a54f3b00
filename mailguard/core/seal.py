"""What an approver's yes names: a digest of exactly what the approver is shown.

It is made of the sender, the recipients that the header names, and the bytes as they would leave: so it says
nothing of a blind recipient, and whoever was shown another message did not say yes to this one.
"""

import hashlib
from collections.abc import Iterable, Sequence

from mailguard.core import address
from mailguard.core.findings import Finding
from mailguard.core.hold import HeldMessage, HeldRecipient
from mailguard.core.message import read_headers, split
from mailguard.core.outgoing import without_hidden
from mailguard.core.recall.people import organisation
from mailguard.core.value import replace

# Hexadecimal digits; with the id it fits before the @ of an address (RFC 5321 section 4.5.3.1.1).
LENGTH = 32


def named(message: HeldMessage, content: bytes) -> tuple[HeldRecipient, ...]:
    """The recipients that everybody may know of: those that To or Cc names."""
    headers = read_headers(content)
    shown = {address.normal(one) for one in (*headers.to, *headers.cc)}
    return tuple(r for r in message.recipients if address.normal(r.address) in shown)


def as_named(message: HeldMessage, content: bytes) -> HeldMessage:
    """The message as an approver may see it: without blind recipients, and without what was found about
    them or speaks of where they are."""
    shown = named(message, content)
    hidden = {address.normal(r.address) for r in message.recipients} - {
        address.normal(r.address) for r in shown
    }
    places = _organisations(hidden) - _organisations((message.sender, *(r.address for r in shown)))

    def tells(found: Finding) -> bool:
        told = [address.normal(text) for text in (found.recipient or "", *found.parameters.values()) if text]
        return any(text in hidden or any(place in text for place in places) for text in told)

    found = tuple(one for one in message.findings if not tells(one))
    return replace(message, recipients=shown, findings=found)


def _organisations(addresses: Iterable[str]) -> set[str]:
    return {organisation(domain) for one in addresses if (domain := address.parse(one).domain)}


def open_copy(content: bytes) -> bytes:
    """The message as everybody may see it: without Bcc and the guard's own control fields."""
    header, _ = split(content)
    return without_hidden(header) + content[len(header) :]


def seal(message: HeldMessage, content: bytes) -> str:
    """The digest; the same for as long as the message is in the guard's hands."""
    return _digest(message.sender, named(message, content), open_copy(content))


def _digest(sender: str, shown: Sequence[HeldRecipient], copy: bytes) -> str:
    addresses = sorted(address.normal(recipient.address) for recipient in shown)
    parts = [text.encode("utf-8", "surrogatepass") for text in (sender, *addresses)]
    made = hashlib.sha256()
    for part in (*parts, copy):
        made.update(b"%d:" % len(part))
        made.update(part)
    return made.hexdigest()[:LENGTH]
