"""Finds a recipient whom all the evidence taken together makes an unlikely one: habits, companions, thread,
names, and what the mail is about (docs/detection.md).
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.recollection import Acquaintance

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


# Of a sender with fewer mails in the memory everybody is unlikely in some way; what is odd about his mail all
# the same, a greeting, a domain, a thread, is for the checks of its own.
FEWEST_MAILS = 30
# Of a thousand right messages so many have somebody who is odd enough for another check to speak of him.
_ODD = 20


def unlikely_recipient(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each recipient as suspect as those of the `warn_per_hundred` most suspect of a hundred
    clean messages; nothing of a sender who is hardly known."""
    recollection = facts.recollection
    bound = policy.options.warn_per_hundred * 10
    if recollection.mails < FEWEST_MAILS or recollection.per_thousand > bound:
        return ()
    found: dict[str, Finding] = {}
    for recipient in facts.envelope.recipients:
        known = recollection.people.get(address.normal(recipient.address))
        if known is not None and known.per_thousand <= bound:
            found.setdefault(known.address, _finding(recipient.address, known))
    return tuple(found.values())


def expected(facts: Facts, recipient: str) -> bool:
    """Whether the evidence, taken together, finds a recipient (normal form) of a well-known sender less odd
    than those of the few oddest messages. False where nobody asked it."""
    known = facts.recollection.people.get(recipient)
    if known is None or not known.suspicion or facts.recollection.mails < FEWEST_MAILS:
        return False
    return known.per_thousand > _ODD


def _finding(written: str, known: Acquaintance) -> Finding:
    parameters = {"address": written, "mails": str(known.mails)}
    if known.usual is not None:
        parameters |= {"usual": known.usual.address, "usual_mails": str(known.usual.mails)}
    return Finding(check="unlikely_recipient", recipient=written, parameters=parameters)
