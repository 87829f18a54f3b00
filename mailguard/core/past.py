"""What is still known of a message that went through, as far as rules can be asked about it again.

Its envelope, subject, size, login, time and findings are kept; its text, its files and its other header
fields are not, so a rule that asks for those cannot be answered.
"""

from mailguard.core.conditions import (
    Attachment,
    BodyText,
    Condition,
    Header,
    Importance,
    IsReply,
    VisibleExternalOver,
)
from mailguard.core.envelope import Envelope, Recipient
from mailguard.core.facts import Body, Facts, Headers, Thread
from mailguard.core.hold import HeldMessage
from mailguard.core.judge import Verdict, weigh
from mailguard.core.policy import Policy, Rule

_FORGOTTEN = (Attachment, BodyText, Header, Importance, IsReply, VisibleExternalOver)


def answerable(rule: Rule) -> bool:
    """Whether what is kept of a message tells if this rule matches it."""
    return not any(_asks_for_what_is_gone(condition) for condition in (*rule.when, *rule.unless))


def _asks_for_what_is_gone(condition: Condition) -> bool:
    return isinstance(condition, _FORGOTTEN)


def again(message: HeldMessage, policy: Policy) -> Verdict:
    """What this policy would do with a message that came in earlier: the rules that can be answered, and the
    findings of then with what they do now."""
    facts = Facts(
        envelope=Envelope(
            sender=message.sender,
            recipients=tuple(Recipient(address=one.address) for one in message.recipients),
            parameters=message.parameters,
        ),
        headers=Headers(subject=message.subject, message_id=message.message_id),
        body=Body(),
        thread=Thread(),
        user=message.user,
        size=message.size,
        now=message.received_at,
    )
    findings = tuple(finding for finding in message.findings if finding.check in policy.checks)
    return weigh(
        facts, policy.without(frozenset(r.name for r in policy.rules if not answerable(r))), findings
    )
