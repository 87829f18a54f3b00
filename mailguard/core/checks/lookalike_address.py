"""Finds an address that nobody ever used and that is one slip of the finger away from one that is used."""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def lookalike_address(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such recipient."""
    found: dict[str, Finding] = {}
    for recipient in facts.envelope.recipients:
        known = facts.recollection.people.get(address.normal(recipient.address))
        if known is None or known.known_here or known.near is None:
            continue
        near = known.near
        if _without_digits(near.address) == _without_digits(known.address):
            continue
        parameters = {"address": recipient.address, "near": near.address, "mails": str(near.mails)}
        finding = Finding(check="lookalike_address", recipient=recipient.address, parameters=parameters)
        found.setdefault(known.address, finding)
    return tuple(found.values())


def _without_digits(text: str) -> str:
    """Mailboxes that are numbered (room1, room2) differ on purpose."""
    return "".join(char for char in text if not char.isdigit())
