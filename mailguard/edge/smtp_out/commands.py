"""The commands of one transaction, from the stored envelope, byte for byte."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from typing import Protocol

from mailguard.core import message as reading
from mailguard.core.envelope import MailParameters
from mailguard.core.value import dataclass

# The last fence before the wire. Whatever is stored was held against a stricter grammar when it came in;
# here only that it can be neither a second command nor end its own path or parameter.
_PATH = re.compile(r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+"|[^\x00-\x20\x7f"<>\\])*+')
_VALUE = re.compile(r"[!-~]{1,1000}")


def nothing() -> None:
    """Nobody wants to know."""


def nobody() -> None:
    """Nobody comes next."""


class Sending(Protocol):
    """Of an envelope or a message, all that the upstream is told about it."""

    @property
    def sender(self) -> str:
        """The envelope's sender; "" for the null sender."""

    @property
    def parameters(self) -> MailParameters:
        """What the client said beside it."""


class Whom(Protocol):
    """Of a recipient, all that the upstream is told."""

    @property
    def address(self) -> str:
        """As it came."""

    @property
    def notify(self) -> str | None:
        """NOTIFY (RFC 3461)."""

    @property
    def orcpt(self) -> str | None:
        """ORCPT (RFC 3461)."""


class Unsendable(Exception):
    """What the upstream cannot take, or what must not be sent, with its enhanced status code (RFC 3463)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One transaction: the MAIL line, a RCPT line for each recipient, and the bytes.

    `wanted` is called when the server has asked for the message; `next` before the end of it is sent, for a
    transaction whose envelope is to go along (RFC 2920 section 3.1).
    """

    mail: bytes
    rcpts: tuple[bytes, ...]
    content: bytes
    wanted: Callable[[], None] = field(default=nothing, repr=False)
    next: Callable[[], "Order | None"] = field(default=nobody, repr=False)

    @property
    def envelope(self) -> bytes:
        """All that goes before the message, to be sent at once; DATA must be the last of a group."""
        return b"".join((self.mail, *self.rcpts, b"DATA\r\n"))


def mail_line(message: Sending, recipients: Sequence[Whom], content: bytes, offers: Collection[str]) -> bytes:
    """MAIL FROM with the parameters that the upstream offers to take. Raises Unsendable."""
    parameters = message.parameters
    words = [f"SIZE={len(content)}"] if "size" in offers else []
    words += _body(message, content, offers)
    if _international(message, recipients, content):
        if "smtputf8" not in offers:
            raise Unsendable(
                "5.6.7 The outgoing server does not take non-ASCII addresses or headers (SMTPUTF8)"
            )
        words.append("SMTPUTF8")
    if "dsn" in offers:
        words += _pairs(RET=parameters.ret, ENVID=parameters.envid)
    return _line("MAIL FROM", message.sender, words)


def rcpt_line(recipient: Whom, offers: Collection[str]) -> bytes:
    """RCPT TO with the recipient's delivery notification wishes (RFC 3461). Raises Unsendable."""
    if not recipient.address.isascii() and "smtputf8" not in offers:
        raise Unsendable("5.6.7 The outgoing server does not take non-ASCII addresses (SMTPUTF8)")
    words = _pairs(NOTIFY=recipient.notify, ORCPT=recipient.orcpt) if "dsn" in offers else []
    return _line("RCPT TO", recipient.address, words)


def _body(message: Sending, content: bytes, offers: Collection[str]) -> list[str]:
    if content.isascii():
        declared = message.parameters.body
        return _pairs(BODY=declared) if "8bitmime" in offers else []
    if "8bitmime" not in offers:
        # RFC 6152 section 3: convert or refuse, and to convert would break every signature.
        raise Unsendable("5.6.3 The outgoing server takes 7-bit messages only (no 8BITMIME)")
    return ["BODY=8BITMIME"]


def _international(message: Sending, recipients: Sequence[Whom], content: bytes) -> bool:
    """Whether the transaction needs SMTPUTF8 (RFC 6531 section 3.1). A header in 8 bits whose client never
    said so goes on as it came."""
    if not message.sender.isascii() or not all(recipient.address.isascii() for recipient in recipients):
        return True
    return message.parameters.smtputf8 and not reading.split(content)[0].isascii()


def _pairs(**values: str | None) -> list[str]:
    words = [f"{name}={value}" for name, value in values.items() if value is not None]
    if not all(_VALUE.fullmatch(word) for word in words):
        raise Unsendable("5.5.4 A parameter of the envelope cannot be sent on")
    return words


def _line(verb: str, address: str, words: Sequence[str]) -> bytes:
    if not _PATH.fullmatch(address):
        raise Unsendable("5.1.3 The address cannot be sent on")
    try:
        return " ".join([f"{verb}:<{address}>", *words]).encode() + b"\r\n"
    except UnicodeEncodeError as error:
        raise Unsendable("5.1.3 The address cannot be sent on") from error
