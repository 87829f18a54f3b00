"""Finds a name that shows another address than the one that the mail goes to or comes from.

Mail programs show the name and hide the address. An old address book writes `"ann@old.example"
<ann@new.example>`, and a deceiver `"boss@corp.example" <me@evil.example>`. Characters that nobody sees, or
that turn the direction of writing, have no business in a name or an address at all.
"""

import re
import unicodedata
from typing import TYPE_CHECKING

from mailguard.core import address, charset
from mailguard.core.facts import Facts, Named
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# Every part takes at least one character and none can give one back, so that looking is linear; longer names
# are not for people, and their beginning is what is shown.
_ADDRESS = re.compile(r"(?<![^\s<>()\[\],;:\"'])[^\s<>()\[\],;:\"'@]++@[^\s<>()\[\],;:\"'@]++")
_LONGEST = 1000
_SHOWN = 200
_NOTHING = '""'


def display_name_deceives(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each address in From, Sender, To, Cc and Reply-To with such a name."""
    deceiving: dict[str, Named] = {}
    for each in facts.headers.named:
        if each.address not in deceiving and _deceives(each):
            deceiving[each.address] = each
    return tuple(
        Finding(
            check="display_name_deceives",
            parameters={
                "name": charset.clean(each.name[:_SHOWN]) or _NOTHING,
                "address": charset.clean(each.address[:_SHOWN]),
            },
        )
        for each in deceiving.values()
    )


def _deceives(named: Named) -> bool:
    name = named.name[:_LONGEST]
    # An encoded word in an address is decoded by some programs, against RFC 2047 section 5.
    if "=?" in named.address or _hides(name) or _hides(named.address[:_LONGEST]):
        return True
    # A full-width @ looks like one (NFKC).
    real = address.normal(named.address)
    return any(address.normal(shown.strip(".")) != real for shown in _addresses(name))


def _hides(text: str) -> bool:
    return charset.clean(text) != text.replace("\t", " ")


def _addresses(name: str) -> list[str]:
    if "@" not in name and name.isascii():
        return []
    # Without a dot it is an ornament: "C@fe".
    return [found for found in _ADDRESS.findall(_compatible(name)) if "." in found.rpartition("@")[2]]


def _compatible(text: str) -> str:
    # Never many characters at once: see prose.fold.
    return "".join(unicodedata.normalize("NFKC", text[at : at + 256]) for at in range(0, len(text), 256))
