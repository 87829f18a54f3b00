"""Finds an answer to all by somebody who was a blind recipient of the mail that is answered: the others do
not know that he has read it.

Whoever got it by a mailing list, or from a mailbox that several people read, is named nowhere either: it is
silent where the answered mail came by a list, and where he answered such mail before.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.account import Account
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


# A mistake is made once; so often, it is how mail reaches him.
_CUSTOM = 2


def was_bcc_reply_all(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the message, where the mail that is answered is known and named this sender nowhere."""
    recollection = facts.recollection
    named = set(recollection.answered)
    if recollection.through_list or recollection.unnamed >= _CUSTOM:
        return ()
    if not named or not facts.headers.is_reply:
        return ()
    sender = facts.envelope.sender
    mine = Account(login=facts.user or sender, addresses=(address.normal(sender), *(facts.own or ())))
    if any(mine.may_send_as(one) for one in named):
        return ()
    others = {address.normal(one.address) for one in facts.envelope.recipients} & named
    if not others:
        # It goes to its writer alone, who knows.
        return ()
    return (Finding(check="was_bcc_reply_all", parameters={"count": str(len(others))}),)
