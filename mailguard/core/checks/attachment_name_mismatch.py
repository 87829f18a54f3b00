"""Finds a file that is named after another organisation than those that it goes to: the offer for one client,
sent to another.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.prose import fold
from mailguard.core.recall.people import WEBMAIL, organisation

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# Shorter names of organisations are words, or parts of words.
SHORTEST = 5
_WORD = re.compile(r"[^\W_]+")


def attachment_name_mismatch(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each file that names an organisation outside to which the sender writes, where the mail
    goes to others outside and not to that one."""
    outside = {
        organisation(who.domain)
        for one in facts.envelope.recipients
        if not policy.inside(who := address.parse(one.address)) and who.domain
    }
    if not outside or not facts.body.attachments:
        return ()
    here = {_label(one) for one in outside}
    others = {
        label: name
        for name in _known(facts, policy)
        if (label := _label(name)) not in here and len(label) >= SHORTEST
    }
    found = []
    for name in facts.body.attachments:
        said = set(_WORD.findall(fold(name)))
        other = next((domain for label, domain in others.items() if label in said), None)
        if other is not None and not said & here:
            found.append(
                Finding(
                    check="attachment_name_mismatch",
                    parameters={"file": name, "other": other, "domains": ", ".join(sorted(outside)[:3])},
                )
            )
    return tuple(found)


def _known(facts: Facts, policy: "Policy") -> Iterator[str]:
    yield from sorted(facts.recollection.organisations - WEBMAIL)
    for group in policy.groups.values():
        yield from sorted(group.domains.exact | group.domains.above | {domain for _, domain in group.exact})


def _label(domain: str) -> str:
    """What an organisation is called: client for client.example."""
    return organisation(domain).partition(".")[0]
