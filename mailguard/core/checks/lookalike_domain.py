"""Finds a recipient's domain that could be mistaken for one that is known: a slip (`cliemt.example`) or an
imitation (letters of another script, `rn` for `m`).

Known are our own domains, those that the rules name, those of the other recipients and of the conversation,
and those that mail went to or came from more than once: what was used once may be the slip itself. A domain
that the organisation exchanged mail with is no imitation of another, and of those that the memory knows two
short names one letter apart are two firms.
"""

from typing import TYPE_CHECKING

from mailguard.core import address, lookalike
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def lookalike_domain(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each recipient at such a domain."""
    recipients = [(one.address, address.parse(one.address)) for one in facts.envelope.recipients]
    thread = (address.parse(one).domain for one in facts.thread.participants)
    ours = policy.named_domains.union(filter(None, thread))
    met = ours.union(who.domain for _, who in recipients if who.domain)
    found: dict[str, Finding] = {}
    for written, who in recipients:
        known = facts.recollection.people.get(str(who))
        if not who.domain or policy.inside(who) or (known is not None and known.domain_known):
            continue
        near = known.near_domain if known is not None else ""
        if not near and who.domain not in ours:
            near = lookalike.nearest(who.domain, met - {who.domain})
        if near:
            parameters = {"address": written, "domain": who.domain, "near": near}
            finding = Finding(check="lookalike_domain", recipient=written, parameters=parameters)
            found.setdefault(str(who), finding)
    return tuple(found.values())
