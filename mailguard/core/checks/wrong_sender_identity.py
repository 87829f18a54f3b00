"""Finds a mail from one of a sender's addresses to people whom he always writes to from another."""

from typing import TYPE_CHECKING

from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

FEWEST_MAILS = 5


def wrong_sender_identity(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the message, where enough mails are remembered."""
    usual = facts.recollection.identity
    if usual is None or usual.mails < FEWEST_MAILS:
        return ()
    parameters = {"sender": facts.envelope.sender, "usual": usual.address, "mails": str(usual.mails)}
    return (Finding(check="wrong_sender_identity", parameters=parameters),)
