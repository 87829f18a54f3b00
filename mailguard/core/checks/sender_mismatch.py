"""Finds a message that says it is from somebody else than the envelope does, or from nobody.

Of a message with a login only what is from nobody: a login may have several addresses, and one that is not
its own is found by `sender_not_own`. A tag (`name+tag@`) makes no difference, and the null sender of a
bounce or a receipt disagrees with nobody.
"""

from typing import TYPE_CHECKING

from mailguard.core import address
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding, Severity

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

NOBODY = "<>"


def sender_mismatch(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding for each address in From or Sender that is not the envelope's, or one for an empty From."""
    sender = facts.envelope.sender
    named = dict.fromkeys((*facts.headers.from_, *facts.headers.sender))
    if not facts.headers.from_:
        named[NOBODY] = None
    elif facts.own is not None or not sender:
        return ()
    same = _untagged(sender)
    return tuple(
        Finding(
            check="sender_mismatch",
            severity=Severity.NOTE,
            parameters={"address": who, "sender": sender or NOBODY},
        )
        for who in named
        if who == NOBODY or _untagged(who) != same
    )


def _untagged(text: str) -> tuple[str, str, bool]:
    parsed = address.parse(text)
    name, _, _ = parsed.local.partition("+")
    return name or parsed.local, parsed.domain, parsed.plain
