"""Finds an answer to all that carries along an outsider whom somebody else has just added: everybody else is
one of us, and he never wrote in it.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def reply_all_outsiders(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the one recipient outside, where there is exactly one and he is such an outsider."""
    if len(facts.envelope.recipients) < 2:
        return ()
    written = {address.normal(one.address): one.address for one in facts.envelope.recipients}
    outside = [normal for normal, one in written.items() if not policy.internal(one)]
    if len(outside) != 1 or len(written) < 2:
        return ()
    known = facts.recollection.people.get(outside[0])
    if known is None or not known.added or known.wrote or known.mails:
        return ()
    recipient = written[outside[0]]
    return (Finding(check="reply_all_outsiders", recipient=recipient, parameters={"address": recipient}),)
