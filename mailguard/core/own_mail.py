"""What all mail has in common that the guard writes itself: how it stands in the queue, its header words."""

import re
from datetime import datetime
from email.header import Header

from mailguard.core.envelope import MailParameters
from mailguard.core.hold import Action, HeldMessage, HeldRecipient
from mailguard.core.states import MessageState

# Stands where others have the protocol that they came by.
NOTICE = "notice"
_ID = re.compile(r"<?([!-;=?-~]{1,250})>?")


def queued(
    content: bytes, *, to: str, subject: str, id: str, hostname: str, now: datetime, kind: str = ""
) -> HeldMessage:
    """A mail from the null sender, on its way at once to one reader and nobody else; `id` is a fresh
    message id, `kind` NOTICE for what is no bounce."""
    return HeldMessage(
        id=id,
        state=MessageState.QUEUED,
        sender="",
        user=None,
        peer="",
        helo=hostname,
        protocol=kind,
        parameters=MailParameters(
            body=None if content.isascii() else "8BITMIME",
            smtputf8=not to.isascii(),
            size=len(content),
        ),
        subject=subject,
        message_id=f"<{id}@{hostname}>",
        size=len(content),
        received_at=now,
        action=Action.NONE,
        recipients=(HeldRecipient(address=to, external=False, release_at=now, due_at=now),),
    )


def is_notice(message: HeldMessage) -> bool:
    """Whether it only tells a person something; no client can hand in one like it."""
    return message.protocol == NOTICE


def encoded(text: str) -> str:
    """A text as it can stand in a header field (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="\r\n")


def answering(message_id: str) -> list[str]:
    """The fields that hang a mail under the one with this Message-ID; none where that is no good one."""
    answered = _ID.fullmatch(message_id.strip())
    return [f"In-Reply-To: <{answered[1]}>", f"References: <{answered[1]}>"] if answered else []
