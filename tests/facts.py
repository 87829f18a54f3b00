"""What is known of a message, for tests of rules and checks; and a policy from a few lines of rules.toml."""

from collections.abc import Iterable
from datetime import datetime

from mailguard.core.envelope import Envelope, MailParameters, Recipient
from mailguard.core.facts import Body, Facts, Headers, Thread
from mailguard.core.policy import Policy
from mailguard.edge.config import parse_rules
from tests.making import NOW

OURS = 'internal_domains = ["corp.example", "*.corp.example"]\n'
QUIET = """
[checks]
stranger_in_thread = { action = "off" }
forgotten_attachment = { action = "off" }
"""


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
) -> Facts:
    """A message from a colleague to somebody outside, unless said otherwise."""
    recipients = tuple(Recipient(address=address) for address in to or ("b@client.example",))
    parameters = MailParameters(hold_until=hold_until)
    return Facts(
        envelope=Envelope(sender=sender, recipients=recipients, parameters=parameters),
        headers=headers or Headers(subject="Hello"),
        body=body or Body(),
        thread=Thread(participants=frozenset(participants)),
        user=user,
        size=size,
        now=now,
    )


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
