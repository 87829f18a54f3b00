"""Finds that a calendar invitation reaches somebody outside to whom the mail itself does not go, and to whom
the sender has never written: an attendee whom a calendar program completed, and who gets it from there.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.account import Account
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# Of more of them the first are told.
MOST = 5


def invited_outsiders(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such attendee, about the message, because he is no recipient of it."""
    invitation = facts.body.invitation
    if not invitation.people:
        return ()
    goes_to = {address.normal(one.address) for one in facts.envelope.recipients}
    sender = facts.envelope.sender
    mine = Account(login=facts.user or sender, addresses=(address.normal(sender), *(facts.own or ())))
    if invitation.by and not any(policy.internal(one) or mine.may_send_as(one) for one in invitation.by):
        # Another's invitation that is passed on: those in it have got it from him.
        return ()
    strangers = [
        one
        for one in invitation.people
        if one not in goes_to
        and one not in facts.recollection.invited
        and one not in facts.thread.participants
        and not policy.internal(one)
        and not mine.may_send_as(one)
    ]
    return tuple(Finding(check="invited_outsiders", parameters={"address": one}) for one in strangers[:MOST])
