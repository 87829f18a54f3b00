"""Reads what the guard has written: the notices that wait to leave."""

import email
import email.policy
from email.message import EmailMessage

from tests.flow.parts import Parts


async def notices(parts: Parts) -> list[tuple[str, EmailMessage]]:
    """Every mail of the guard's own that waits, oldest first, with the one address that it goes to; they
    are taken in hand, so that the next look finds only newer ones."""
    found = []
    for claimed in await parts.store.claim(parts.clock.now(), 100):
        if claimed.message.sender:
            continue
        [recipient] = claimed.message.recipients
        parsed = email.message_from_bytes(claimed.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        found.append((recipient.address, parsed))
    return found


def text_of(parsed: EmailMessage) -> str:
    """What a terminal shows of it."""
    part = parsed.get_body(("plain",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content
