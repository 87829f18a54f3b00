"""What the SMTP client said around the message: who sends, to whom, and with which wishes.

Addresses are kept exactly as they came on the wire (decoded as UTF-8, nothing unquoted, nothing
lower-cased): what the policy saw is byte for byte what goes on to the outgoing server.
"""

from dataclasses import field
from datetime import datetime

from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MailParameters:
    """The ESMTP parameters of MAIL FROM, kept as given.

    `body` is 7BIT or 8BITMIME (RFC 6152); `ret` and `envid` are RFC 3461's; `auth` is RFC 4954's;
    `hold_until` is the sender's own wish (RFC 4865), already an aware UTC time for HOLDFOR too.
    """

    body: str | None = None
    smtputf8: bool = False
    size: int | None = None
    ret: str | None = None
    envid: str | None = None
    auth: str | None = None
    hold_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One RCPT TO: the address as given and its DSN wishes (RFC 3461), verbatim."""

    address: str
    notify: str | None = None
    orcpt: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """Sender (empty for the null sender `<>`) and recipients, in the order they were given."""

    sender: str
    recipients: tuple[Recipient, ...]
    parameters: MailParameters = field(default_factory=MailParameters)


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """One message as a client handed it in.

    `content` is the DATA section after dot-unstuffing, CRLF line ends, untouched otherwise.
    `user` is the login, None for a client of a trusted network; `own` are the addresses and patterns that
    the login may send as, where it is known. `protocol` is the keyword for the
    Received line (ESMTP, ESMTPS, ESMTPA, ESMTPSA: RFC 3848). `helo` is what the client called itself,
    printable ASCII only.
    """

    envelope: Envelope
    content: bytes
    user: str | None
    peer: str
    helo: str
    protocol: str
    received_at: datetime
    own: tuple[str, ...] | None = None
