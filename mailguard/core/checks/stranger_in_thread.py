"""Finds a recipient who had no part in the conversation that the message goes on with.

Of a sender who is known well it speaks only where the other evidence finds the recipient odd as well: people
are taken into conversations all the time. That evidence is asked for where `unlikely_recipient` is on;
where it is off, this speaks of everybody.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.checks.unlikely_recipient import expected
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding, Severity

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def stranger_in_thread(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such recipient; nothing where the thread is not known or this is no answer.

    Somebody outside is a warning, a colleague a note. The sender himself is no stranger.
    """
    if not (facts.thread.known and facts.headers.is_reply):
        return ()
    familiar = facts.thread.participants | {address.normal(facts.envelope.sender)}
    # A mapping, because one mailbox may be named twice, in two spellings.
    strangers = {
        normal: each.address
        for each in reversed(facts.envelope.recipients)
        if (normal := address.normal(each.address)) not in familiar and not expected(facts, normal)
    }
    return tuple(
        Finding(
            check="stranger_in_thread",
            severity=Severity.NOTE if policy.internal(written) else Severity.WARNING,
            recipient=written,
            parameters={"address": written},
        )
        for written in reversed(strangers.values())
    )
