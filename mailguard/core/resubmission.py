"""When two submissions are one: a client that missed the answer hands the same message in again.

Outlook and many scripts do so by themselves after a lost connection, and nobody sees it. What is the same in
login, sender, recipients and every byte, and carries a Message-ID (RFC 5322 section 3.6.4: it names this one
message), is the same message. Without a Message-ID nobody can tell a second try from a second message, as two
alarms of the same words are; both are taken then.
"""

import hashlib
from datetime import timedelta

from mailguard.core.envelope import Submission
from mailguard.core.facts import Headers
from mailguard.core.states import MessageState

# A client tries again within minutes; later, somebody means it.
WINDOW = timedelta(minutes=10)
# What has come back to its sender is a new message when it is sent again.
RETURNED = frozenset({MessageState.FAILED, MessageState.REJECTED, MessageState.EXPIRED})


def digest(submission: Submission, headers: Headers) -> bytes | None:
    """By what a resubmission is known: 16 bytes, or None where it cannot be known.

    Linear in the size of the message: some 25 ms for 25 MB.
    """
    if not headers.message_id:
        return None
    envelope = submission.envelope
    recipients = sorted({recipient.address for recipient in envelope.recipients})
    sent_by = (submission.user or "", envelope.sender, *recipients)
    made = hashlib.blake2b(digest_size=16)
    # No address has a line break, so no two lists of them look alike.
    made.update("\n".join(sent_by).encode("utf-8", "surrogatepass") + b"\n\n")
    made.update(submission.content)
    return made.digest()


def reply_to_second(first_id: str, state: MessageState, first_reply: str) -> str:
    """What the client hears: what it would have heard the first time, unless it is not true any more."""
    if state is MessageState.CANCELLED:
        return f"Held as {first_id}: it was cancelled, and stays so"
    return first_reply
