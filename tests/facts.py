"""What is known of a message, for tests of rules and checks; and a policy from a few lines of rules.toml."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from mailguard.core.checks import CHECKS
from mailguard.core.envelope import Envelope, MailParameters, Recipient
from mailguard.core.facts import Body, Facts, Headers, Thread
from mailguard.core.policy import Policy
from mailguard.core.recollection import NOTHING, Acquaintance, Recollection
from mailguard.edge.config import parse_rules
from tests.making import NOW

OURS = 'internal_domains = ["corp.example", "*.corp.example"]\n'
QUIET = "\n[checks]\n" + "".join(f'{check.code} = {{ action = "off" }}\n' for check in CHECKS)


def facts(
    *to: str,
    sender: str = "a@corp.example",
    user: str | None = "a",
    headers: Headers | None = None,
    body: Body | None = None,
    participants: Iterable[str] = (),
    size: int = 1000,
    now: datetime = NOW,
    hold_until: datetime | None = None,
    own: tuple[str, ...] | None = None,
    recollection: Recollection = NOTHING,
) -> Facts:
    """A message from a colleague to somebody outside, unless said otherwise."""
    recipients = tuple(Recipient(address=address) for address in to or ("b@client.example",))
    parameters = MailParameters(hold_until=hold_until)
    return Facts(
        envelope=Envelope(sender=sender, recipients=recipients, parameters=parameters),
        headers=headers or Headers(from_=(sender,), subject="Hello"),
        body=body or Body(),
        thread=Thread(participants=frozenset(participants)),
        user=user,
        size=size,
        now=now,
        own=own,
        recollection=recollection,
    )


def recalled(*people: Acquaintance, mails: int = 200, **more: Any) -> Recollection:
    """What the memory knows of a sender with many mails, and of these recipients."""
    return Recollection(mails=mails, people={one.address: one for one in people}, **more)


def policy(rules: str, *, checks: str = QUIET) -> Policy:
    """The policy of these rules, with our usual domains and without checks."""
    return parse_rules(OURS + rules + checks, "rules.toml")


def conditional(when: str, more: str = 'delay = "5m"') -> Policy:
    """A policy of one rule with this `when`."""
    return policy(f'[[rule]]\nname = "one"\nwhen = {{ {when} }}\n{more}\n')


def matches(when: str, known: Facts) -> bool:
    """Whether a rule with this `when` matches this message."""
    made = conditional(when)
    return made.rules[0].matches(made.case(known)) is not None
