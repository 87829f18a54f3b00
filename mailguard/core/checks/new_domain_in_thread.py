"""Finds a domain outside that nobody of the conversation had part in it from.

Of a sender who is known well it speaks only where the other evidence finds the recipient odd as well.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.checks.unlikely_recipient import expected
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def new_domain_in_thread(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such domain; nothing where the thread is not known or this is no answer."""
    if not (facts.thread.known and facts.headers.is_reply):
        return ()
    known = {address.parse(one).domain for one in facts.thread.participants}
    known.add(address.parse(facts.envelope.sender).domain)
    found: dict[str, Finding] = {}
    for recipient in facts.envelope.recipients:
        who = address.parse(recipient.address)
        if policy.inside(who) or (who.plain and any(_same(who.domain, other) for other in known)):
            continue
        if expected(facts, str(who)):
            continue
        parameters = {"address": recipient.address, "domain": who.domain or recipient.address}
        finding = Finding(check="new_domain_in_thread", recipient=recipient.address, parameters=parameters)
        found.setdefault(who.domain, finding)
    return tuple(found.values())


def _same(one: str, other: str) -> bool:
    """Whether two domains are one, or one is below the other."""
    return one == other or one.endswith("." + other) or other.endswith("." + one)
