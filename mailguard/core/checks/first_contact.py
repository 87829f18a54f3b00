"""Finds a recipient outside to whom the sender has never written before.

By itself it means little: a fifth of all mail has one. It is a line for the sender to read, and a condition
for rules.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding, Severity

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# With fewer mails remembered everybody is new.
FEWEST_MAILS = 20


def first_contact(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such recipient, of a sender who is known well enough."""
    recollection = facts.recollection
    if recollection.mails < FEWEST_MAILS:
        return ()
    found: dict[str, str] = {}
    for recipient in facts.envelope.recipients:
        normal = address.normal(recipient.address)
        known = recollection.people.get(normal)
        if (
            known is not None
            and not known.mails
            and not known.back
            and not policy.internal(recipient.address)
        ):
            found.setdefault(normal, recipient.address)
    return tuple(
        Finding(
            check="first_contact",
            severity=Severity.NOTE,
            recipient=written,
            parameters={"address": written},
        )
        for written in found.values()
    )
