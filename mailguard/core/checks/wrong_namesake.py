"""Finds a recipient whose name is like that of somebody to whom the sender writes much more often: the wrong
one of two that a mail program offered.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.recollection import Acquaintance, Recollection

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# The usual one has got so many mails, and so many times as many as the other.
FEWEST_MAILS = 5
TIMES = 8


def wrong_namesake(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each recipient whose more usual namesake is not on the message."""
    recollection = facts.recollection
    found: dict[str, Finding] = {}
    for recipient in facts.envelope.recipients:
        known = recollection.people.get(address.normal(recipient.address))
        if known is not None and _is_wrong(known, recollection) and known.usual is not None:
            parameters = {
                "address": recipient.address,
                "usual": known.usual.address,
                "usual_mails": str(known.usual.mails),
                "mails": str(known.mails),
            }
            finding = Finding(check="wrong_namesake", recipient=recipient.address, parameters=parameters)
            found.setdefault(known.address, finding)
    return tuple(found.values())


def _is_wrong(known: Acquaintance, recollection: Recollection) -> bool:
    usual = known.usual
    if usual is None or known.in_thread or usual.address in recollection.people:
        return False
    return usual.mails >= FEWEST_MAILS and usual.mails >= TIMES * (known.mails + known.back + 1)
