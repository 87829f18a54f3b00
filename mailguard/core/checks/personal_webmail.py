"""Finds a recipient at a mailbox that anybody can open, where the mail would else stay among organisations: a
colleague's private address, offered by the mail program.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding, Severity
from mailguard.core.recall.people import WEBMAIL, Person

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def personal_webmail(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such recipient: a warning where he has the name of somebody of ours, the sender
    among them, and else a note; nothing about somebody to whom the sender writes anyway."""
    found: dict[str, Finding] = {}
    ours: dict[str, frozenset[str]] | None = None
    for recipient in facts.envelope.recipients:
        who = address.parse(recipient.address)
        known = facts.recollection.people.get(str(who))
        if who.domain not in WEBMAIL or policy.inside(who) or (known is not None and known.mails):
            continue
        if ours is None:
            ours = _ours(facts, policy)
        names = frozenset(Person(str(who)).parts)
        colleague = next((one for one, parts in ours.items() if len(parts) > 1 and parts <= names), "")
        found.setdefault(
            str(who),
            Finding(
                check="personal_webmail",
                severity=Severity.WARNING if colleague else Severity.NOTE,
                recipient=recipient.address,
                parameters={"address": recipient.address, "colleague": colleague},
            ),
        )
    return tuple(found.values())


def _ours(facts: Facts, policy: "Policy") -> dict[str, frozenset[str]]:
    """The name parts of everybody of ours who has to do with this message."""
    usual = (one.usual.address for one in facts.recollection.people.values() if one.usual)
    people = (
        facts.envelope.sender,
        *(one.address for one in facts.envelope.recipients),
        *facts.thread.participants,
        *usual,
    )
    return {one: frozenset(Person(one).parts) for one in map(address.normal, people) if policy.internal(one)}
