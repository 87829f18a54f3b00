"""The report to a sender whose message did not go where it was meant to (RFC 3464), as a message to queue.

It goes to the envelope sender from the null sender, so that a report is never reported on. Every word in
it that is not ours is cleaned first: no address, reply or reason can add a header field or a part.
"""

import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

from mailguard.core import charset, outgoing, own_mail
from mailguard.core import message as reading
from mailguard.core.bounce_text import body_text, subject_text
from mailguard.core.events import GUARD, Event
from mailguard.core.hold import HeldMessage, HeldRecipient, NewMessage
from mailguard.core.value import dataclass

# Larger messages come back as their header only, whatever RET says.
RETURN_LIMIT = 64 * 1024
_LONGEST = 400

_STATUS = re.compile(r"(?:[2-5]\d\d[ -])?([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"([2-5])\d\d(?:[ -]|$)")
_HEX = re.compile(r"\+([0-9A-Fa-f]{2})")


class Kind(StrEnum):
    """Why a sender is written to: the upstream said no; nobody said yes in time; an approver said no; or it
    was handed to a server that will not report on it (RFC 3461 section 5.2.2)."""

    FAILED = "failed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    RELAYED = "relayed"


def bounce(
    message: HeldMessage,
    recipients: Sequence[HeldRecipient],
    *,
    kind: Kind,
    id: str,
    hostname: str,
    language: str,
    now: datetime,
    reason: str = "",
    content: bytes | None = None,
) -> NewMessage | None:
    """The report on these recipients of a message, or None where nobody is to hear of it: there is no
    sender, or NOTIFY says so (RFC 3461 section 4.1).

    `id` is a fresh message id, `reason` the approver's words, `language` en or fr. `content` are the bytes
    as received; without them only the subject and the Message-ID come back.
    """
    told = tuple(recipient for recipient in recipients if _wanted(recipient.notify, kind))
    if not message.sender or not told:
        return None
    report = _Report(
        message=message,
        recipients=told,
        kind=kind,
        id=id,
        hostname=hostname,
        language=language,
        now=now,
        reason=_clean(reason),
    )
    body = b"\r\n".join([*report.head(), *report.parts(_returned(message, content, kind)), b""])
    detail = {"report_on": message.id, "kind": kind.value}
    event = Event(at=now, event="received", by=GUARD, detail=detail)
    return NewMessage(message=report.held(body), content=body, event=event)


def _wanted(notify: str | None, kind: Kind) -> bool:
    words = {word.strip() for word in (notify or "").upper().split(",")} - {""}
    if kind is Kind.RELAYED:
        return "SUCCESS" in words
    return not words or "FAILURE" in words


@dataclass(frozen=True, kw_only=True, slots=True)
class _Report:
    message: HeldMessage
    recipients: Sequence[HeldRecipient]
    kind: Kind
    id: str
    hostname: str
    language: str
    now: datetime
    reason: str

    @property
    def subject(self) -> str:
        return subject_text(self.kind.value, _clean(self.message.subject)[:120], self.language)

    def held(self, body: bytes) -> HeldMessage:
        """The report in the queue: on its way at once, to the sender and nobody else."""
        return own_mail.queued(
            body,
            to=self.message.sender,
            subject=self.subject,
            id=self.id,
            hostname=self.hostname,
            now=self.now,
        )

    def head(self) -> list[bytes]:
        """The report's own header, its end included."""
        lines = [
            f"From: mailguard <postmaster@{self.hostname}>",
            f"To: <{_clean(self.message.sender)}>",
            f"Subject: {own_mail.encoded(self.subject)}",
            f"Date: {_date(self.now)}",
            f"Message-ID: <{self.id}@{self.hostname}>",
            *own_mail.answering(self.message.message_id),
            # RFC 3834 section 5: no robot is to answer this.
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;",
            f'\tboundary="=_{self.id}"',
            "",
        ]
        return [line.encode() for line in lines]

    def parts(self, returned: Sequence[bytes]) -> list[bytes]:
        """The three parts of RFC 6522: for people, for programs, and what it is about."""
        mark = f"--=_{self.id}".encode()
        told = body_text(
            self.message,
            [(_clean(r.address), _clean(r.reply or "")) for r in self.recipients],
            kind=self.kind.value,
            reason=self.reason,
            hostname=self.hostname,
            language=self.language,
            doubtful=any(recipient.maybe_sent for recipient in self.recipients),
        )
        return [
            mark,
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Transfer-Encoding: quoted-printable",
            b"",
            binascii.b2a_qp(told.replace("\n", "\r\n").encode()),
            mark,
            b"Content-Type: message/delivery-status",
            b"",
            *self._status(),
            mark,
            *returned,
            mark + b"--",
        ]

    def _status(self) -> list[bytes]:
        """message/delivery-status (RFC 3464 section 2): a group about the message, one for each recipient."""
        envid = self.message.parameters.envid
        lines = [
            f"Reporting-MTA: dns; {self.hostname}",
            *([f"Original-Envelope-Id: {_ascii(_unxtext(envid))}"] if envid else []),
            f"Arrival-Date: {_date(self.message.received_at)}",
            "",
        ]
        for recipient in self.recipients:
            lines += [*self._group(recipient), ""]
        return [line.encode("ascii", "replace") for line in lines]

    def _group(self, recipient: HeldRecipient) -> list[str]:
        reply = _ascii(recipient.reply or "")
        upstream = self.kind in (Kind.FAILED, Kind.RELAYED)
        said = upstream and _CODE.match(reply)
        return [
            *([f"Original-Recipient: {_ascii(_unxtext(recipient.orcpt))}"] if recipient.orcpt else []),
            f"Final-Recipient: {_typed(recipient.address)}",
            f"Action: {'relayed' if self.kind is Kind.RELAYED else 'failed'}",
            f"Status: {_status(self.kind, reply)}",
            *([f"Diagnostic-Code: smtp; {reply}"] if said else []),
            *([f"Last-Attempt-Date: {_date(self.now)}"] if upstream else []),
        ]


def _status(kind: Kind, reply: str) -> str:
    """The enhanced status code (RFC 3463)."""
    if kind is Kind.EXPIRED:
        return "5.4.7"
    if kind is Kind.REJECTED:
        return "5.7.1"
    if kind is Kind.RELAYED:
        return "2.0.0"
    found = _STATUS.match(reply)
    code = _CODE.match(reply)
    # Tried until the time was over, without a word from the upstream: 4.4.7.
    return found[1] if found else f"{code[1]}.0.0" if code else "4.4.7"


def _returned(message: HeldMessage, content: bytes | None, kind: Kind) -> list[bytes]:
    """The third part: the whole message where that was asked for (RET=FULL, RFC 3461 section 4.3) or where
    its sender gets it back unsent, else its header."""
    if content is None:
        subject = own_mail.encoded(_clean(message.subject))
        known = f"Subject: {subject}\r\nMessage-ID: {_ascii(message.message_id)}\r\n"
        return [b"Content-Type: text/rfc822-headers", b"", known.encode("ascii", "replace")]
    block, end = reading.split(content)
    header = outgoing.without_hidden(block)
    ret = (message.parameters.ret or "").upper()
    if kind in (Kind.EXPIRED, Kind.REJECTED):
        # It never left, and its bytes are gone from here: whatever it is, its sender gets it back whole.
        return _whole(header, content[end:])
    # A report in 8 bits could fail for the very reason that it reports (5.6.3). RFC 2046 section 5.2.1
    # allows no other encoding for a message.
    if ret == "FULL" and len(content) <= RETURN_LIMIT and content.isascii() and end > len(block):
        return _whole(header, content[end:])
    header = header[:RETURN_LIMIT]
    if header.isascii():
        return [b"Content-Type: text/rfc822-headers", b"", header]
    return [
        b"Content-Type: text/rfc822-headers; charset=utf-8",
        b"Content-Transfer-Encoding: quoted-printable",
        b"",
        binascii.b2a_qp(header),
    ]


def _whole(header: bytes, body: bytes) -> list[bytes]:
    message = header + b"\r\n" + body
    encoding = b"7bit" if message.isascii() else b"8bit"
    return [b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: " + encoding, b"", message]


def _clean(text: str) -> str:
    return charset.clean(text)[:_LONGEST]


def _ascii(text: str) -> str:
    return _clean(text).encode("ascii", "replace").decode()


def _date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


def _unxtext(text: str) -> str:
    """What an xtext (RFC 3461 section 4) stands for."""
    return _HEX.sub(lambda match: chr(int(match[1], 16)), text)


def _typed(address: str) -> str:
    """An address with its type (RFC 3464 section 2.1.2; for more than ASCII, RFC 6533 section 3)."""
    clean = _clean(address)
    if clean.isascii():
        return f"rfc822; {clean}"
    return "utf-8; " + "".join(c if c.isascii() and c not in "\\+=" else f"\\x{{{ord(c):X}}}" for c in clean)
