"""Finds a mail that shows many outsiders one another's addresses, where Bcc would hide them.

Those who took part in the conversation know one another's already; and whoever writes to such crowds all the
time, as people do on a public list, is not told so each time.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.recall.customs import LATELY

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


# From so many of the sender's latest mails on, one in five, it is his custom.
_CUSTOM = 3
_SHARE = 5


def many_visible_externals(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the message, where To and Cc name more recipients outside, of several organisations, than
    `visible_over`."""
    if len(facts.headers.to) + len(facts.headers.cc) <= policy.options.visible_over:
        return ()
    goes_to = {address.normal(one.address) for one in facts.envelope.recipients}
    named = {address.normal(one) for one in (*facts.headers.to, *facts.headers.cc)} & goes_to
    known = facts.thread.participants if facts.headers.is_reply else frozenset()
    outside = {one for one in named - known if not policy.internal(one)}
    organisations = {address.parse(one).domain for one in outside}
    if len(outside) <= policy.options.visible_over or len(organisations) < 2:
        return ()
    crowds = facts.recollection.crowds
    if crowds >= _CUSTOM and crowds * _SHARE >= min(LATELY, facts.recollection.mails):
        return ()
    parameters = {"count": str(len(outside)), "organisations": str(len(organisations))}
    return (Finding(check="many_visible_externals", parameters=parameters),)
