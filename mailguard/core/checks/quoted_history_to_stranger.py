"""Finds a mail that takes what colleagues wrote among themselves, quoted below the answer, to somebody
outside who had no part in it.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.recall import quotation

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# A shorter quotation is a line that the answer needs.
SHORTEST = 200


def quoted_history_to_stranger(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each recipient outside who is new to a conversation that was ours alone."""
    strangers = [one for one in facts.envelope.recipients if not policy.internal(one.address)]
    if not strangers or len(facts.body.text) - len(facts.body.own_text) < SHORTEST:
        return ()
    quoted = quotation.read(facts.body.text)
    people = {*facts.thread.participants, *map(address.normal, quoted.addresses)}
    people.discard(address.normal(facts.envelope.sender))
    # Without a name in it nobody can say whose words these are.
    if len(quoted.quoted) < SHORTEST or not people or not all(map(policy.internal, people)):
        return ()
    found = {address.normal(one.address): one.address for one in reversed(strangers)}
    return tuple(
        Finding(
            check="quoted_history_to_stranger",
            recipient=written,
            parameters={"address": written, "people": str(len(people))},
        )
        for written in reversed(found.values())
    )
