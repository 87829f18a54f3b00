"""Finds that somebody is left out who is usually on the sender's mails to these people."""

from typing import TYPE_CHECKING

from mailguard.core.facts import Facts
from mailguard.core.findings import Finding, Severity

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# Of so many mails, so many of a hundred had him on them.
FEWEST_MAILS = 6
PERCENT = 90


def missing_recipient(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such companion; they are about the message, because he is no recipient of it."""
    return tuple(
        Finding(
            check="missing_recipient",
            severity=Severity.NOTE,
            parameters={"address": one.address, "together": str(one.together), "of": str(one.of)},
        )
        for one in facts.recollection.missing
        if one.of >= FEWEST_MAILS and one.together * 100 >= one.of * PERCENT
    )
