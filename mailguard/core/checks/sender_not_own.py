"""Finds a message whose From or Sender names an address that its login may not send as.

The envelope sender was held against the login already; what readers see is the header. It may be a mail
program with a wrong identity, or somebody who writes in another's name.
"""

from typing import TYPE_CHECKING

from mailguard.core.account import Account
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def sender_not_own(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each such address, and for what is no address; nothing where there is no login, since
    a program on a trusted network may speak for anybody."""
    if facts.own is None or facts.user is None:
        return ()
    account = Account(login=facts.user, addresses=facts.own)
    named = dict.fromkeys((*facts.headers.from_, *facts.headers.sender))
    return tuple(
        Finding(check="sender_not_own", parameters={"address": who, "login": facts.user})
        for who in named
        if not account.may_send_as(who)
    )
