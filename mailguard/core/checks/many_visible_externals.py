"""Finds a mail that shows many outsiders one another's addresses, where Bcc would hide them."""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding

if TYPE_CHECKING:
    from mailguard.core.policy import Policy


def many_visible_externals(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the message, where To and Cc name more recipients outside, of several organisations, than
    `visible_over`."""
    goes_to = {address.normal(one.address) for one in facts.envelope.recipients}
    named = {address.normal(one) for one in (*facts.headers.to, *facts.headers.cc)} & goes_to
    outside = {one for one in named if not policy.internal(one)}
    organisations = {address.parse(one).domain for one in outside}
    if len(outside) <= policy.options.visible_over or len(organisations) < 2:
        return ()
    parameters = {"count": str(len(outside)), "organisations": str(len(organisations))}
    return (Finding(check="many_visible_externals", parameters=parameters),)
