"""Strict reading of MAIL FROM and RCPT TO (RFC 5321 section 4.1.2, RFC 6531 for other scripts).

It works on the bytes of the wire and gives back exactly those bytes as text: nothing is decoded,
unquoted, commented out or mended, so what the rules judge is what the outgoing server will read. Whatever
two readers could understand differently is refused.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NoReturn

from mailguard.core.envelope import MailParameters, Recipient
from mailguard.core.errors import SyntaxRefused

# RFC 5321 section 4.5.3.1: octets of a local part, and of a path with its angle brackets.
LONGEST_LOCAL_PART = 64
LONGEST_PATH = 256
# RFC 4865 section 3: what the EHLO reply promises for HOLDFOR and HOLDUNTIL.
LONGEST_HOLD = timedelta(days=7)

_ATOM = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+"
_QUOTED = rb'"(?:[ !#-\[\]-~\x80-\xff]|\\[ -~])*"'
_MAILBOX = re.compile(
    rb"<(?P<local>" + _ATOM + rb"(?:\." + _ATOM + rb")*|" + _QUOTED + rb")"
    rb"@(?P<domain>[A-Za-z0-9._\x80-\xff-]+|\[[A-Za-z0-9.:]+\])>"
)
# RFC 5321 has no underscore in a domain; networks in use do, and it means the same to every reader.
_LABEL = rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(_LABEL + rb"(?:\." + _LABEL + rb")*")
# What nearly every path is, in one look: all that _mailbox checks one by one, but for encoded words.
_USUAL = re.compile(
    rb"(?:FROM|TO):<(?=[^@>]{1,64}@)(?=[^>]{1,254}>)"
    rb"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@" + _DOMAIN.pattern + rb")>"
)
_IPV6_TAG = re.compile(rb"IPv6:", re.IGNORECASE)
# RFC 2047: some mail software decodes these even in an envelope, and then sends the mail elsewhere.
_ENCODED_WORD = re.compile(rb"=\?.*\?=")
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?")
# RFC 3461 section 4: xtext, without the escapes that would become a control character or a line break
# in the header of somebody's report.
_XTEXT = re.compile(rb"(?:[!-*,-<>-~]|\+[2-6][0-9A-F]|\+7[0-9A-E])+")
_ORCPT = re.compile(rb"([A-Za-z0-9-]+);(.+)")
_NOTIFY = re.compile(rb"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*", re.IGNORECASE)
# RFC 3339 section 5.6 (RFC 4865 erratum 2040).
_DATE_TIME = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)

_SIZE = re.compile(rb"[0-9]{1,20}")
_BODY = re.compile(rb"7BIT|8BITMIME", re.IGNORECASE)
_RET = re.compile(rb"FULL|HDRS", re.IGNORECASE)
_SECONDS = re.compile(rb"[0-9]{1,9}")

_PLAIN_MAIL = MailParameters()


def parse_mail(
    argument: bytes, *, now: datetime, longest_hold: timedelta = LONGEST_HOLD
) -> tuple[str, MailParameters]:
    """The sender ("" for the null sender) and the parameters of `FROM:<path> [parameters]`.

    `now` is where HOLDFOR counts from; a wish further off than `longest_hold` is refused.
    Raises SyntaxRefused with the reply that the argument earns.
    """
    mailbox, tail = _path(argument, b"FROM:", "Syntax: MAIL FROM:<address>", "5.1.7")
    parameters = _mail_parameters(_parameters(tail), now, longest_hold) if tail else _PLAIN_MAIL
    return _text(mailbox, "5.1.7", smtputf8=parameters.smtputf8), parameters


def _mail_parameters(given: dict[str, bytes], now: datetime, longest_hold: timedelta) -> MailParameters:
    values: dict[str, Any] = {"hold_until": _hold_until(given, now, longest_hold)}
    for key, value in given.items():
        if key in ("HOLDFOR", "HOLDUNTIL"):
            continue
        field, read = _MAIL_PARAMETERS.get(key) or _unknown(key, "MAIL FROM")
        values[field] = read(value)
    return MailParameters(**values)


def parse_rcpt(argument: bytes, *, smtputf8: bool) -> Recipient:
    """The recipient of `TO:<path> [parameters]`; `smtputf8` tells whether MAIL FROM asked for it.

    An address without a domain is refused, `<Postmaster>` too: a submission server must have complete
    addresses (RFC 6409 section 4.2), and this one has no mailbox of its own that the name could mean.
    Raises SyntaxRefused with the reply that the argument earns.
    """
    mailbox, tail = _path(argument, b"TO:", "Syntax: RCPT TO:<address>", "5.1.3")
    notify = orcpt = None
    for key, value in _parameters(tail).items() if tail else ():
        if key == "NOTIFY":
            notify = _matching(_NOTIFY, value, "NOTIFY")
        elif key == "ORCPT":
            orcpt = _original_recipient(value, smtputf8=smtputf8)
        else:
            _unknown(key, "RCPT TO")
    return Recipient(address=_text(mailbox, "5.1.3", smtputf8=smtputf8), notify=notify, orcpt=orcpt)


def _path(argument: bytes, keyword: bytes, syntax: str, status: str) -> tuple[bytes, bytes]:
    """What stands between the angle brackets, and what follows them."""
    usual = _USUAL.match(argument)
    if usual is not None and argument.startswith(keyword) and b"=?" not in argument:
        return usual[1], argument[usual.end() :]
    if argument[: len(keyword)].upper() != keyword:
        raise SyntaxRefused(501, "5.5.4", syntax)
    # A space after the colon is an error that many clients make and that no reader misunderstands.
    path = argument[len(keyword) :].lstrip(b" ")
    if not path.startswith(b"<"):
        raise SyntaxRefused(501, "5.5.4", f"{syntax} (the address in angle brackets)")
    if keyword == b"FROM:" and path.startswith(b"<>"):
        return b"", path[2:]
    return _mailbox(path, status)


def _mailbox(path: bytes, status: str) -> tuple[bytes, bytes]:
    found = _MAILBOX.match(path)
    if found is None:
        raise SyntaxRefused(553, status, _reason(path))
    local, domain = found["local"], found["domain"]
    if len(local) > LONGEST_LOCAL_PART or found.end() > LONGEST_PATH:
        raise SyntaxRefused(553, status, "The address is longer than RFC 5321 allows")
    if _ENCODED_WORD.search(local):
        raise SyntaxRefused(553, status, "An encoded word is no part of an address")
    if domain.startswith(b"["):
        _check_literal(domain[1:-1], status)
    elif domain.isascii() and (_DOMAIN.fullmatch(domain) is None or len(domain) > 255):
        raise SyntaxRefused(553, status, "The domain of the address is not valid")
    return path[1 : found.end() - 1], path[found.end() :]


def _reason(path: bytes) -> str:
    if path.startswith(b"<@"):
        # RFC 5321 appendix C: obsolete. Ignoring it, as allowed, would judge one path and send another.
        return "Source routes are not accepted"
    if b"@" not in path:
        return "The address needs a domain: write name@your.domain"
    return "This is not a valid address"


def _check_literal(literal: bytes, status: str) -> None:
    """RFC 5321 section 4.1.3; no other kind of literal was ever registered."""
    text = literal.decode("ascii")
    try:
        if _IPV6_TAG.match(literal):
            IPv6Address(text[5:])
        else:
            IPv4Address(text)
    except ValueError:
        raise SyntaxRefused(553, status, "The address literal is not valid") from None


def _text(mailbox: bytes, status: str, *, smtputf8: bool) -> str:
    if mailbox.isascii():
        return mailbox.decode("ascii")
    if not smtputf8:
        raise SyntaxRefused(553, "5.6.7", "A non-ASCII address needs SMTPUTF8")
    try:
        text = mailbox.decode("utf-8")
    except UnicodeDecodeError:
        raise SyntaxRefused(553, status, "The address is not valid UTF-8") from None
    local, _, domain = text.rpartition("@")
    if not all(map(_harmless, local)):
        raise SyntaxRefused(553, status, "The address has invisible or control characters")
    if not domain.startswith("[") and not all(map(_is_label, domain.split("."))):
        raise SyntaxRefused(553, status, "The domain of the address is not valid")
    return text


def _harmless(char: str) -> bool:
    # Marks for the direction of text and blanks of all kinds only serve to mislead a reader; the two
    # joiners are letters' glue in Persian and in Indic scripts.
    return char < "\x80" or char in "\u200c\u200d" or unicodedata.category(char)[0] not in "CZ"


def _is_label(label: str) -> bool:
    """RFC 5890 section 2.3.2.1, as far as it keeps two readers from seeing two domains."""
    if label.isascii():
        return _DOMAIN.fullmatch(label.encode()) is not None
    letters = all(char == "-" or unicodedata.category(char)[0] in "LMN" for char in label)
    # Full-width letters and their like are other letters to one reader and the same to the next.
    stable = unicodedata.normalize("NFKC", label) == unicodedata.normalize("NFC", label)
    return letters and stable and not label.startswith("-") and not label.endswith("-")


def _parameters(tail: bytes) -> dict[str, bytes]:
    """Keyword to value ("" where it has none), in the order given (RFC 5321 section 4.1.2)."""
    if tail and not tail.startswith(b" "):
        raise SyntaxRefused(501, "5.5.4", "A space must follow the address")
    given: dict[str, bytes] = {}
    for word in tail.split(b" "):
        if not word:
            continue
        found = _PARAMETER.fullmatch(word)
        if found is None:
            raise SyntaxRefused(501, "5.5.4", "A parameter is not valid")
        key = found[1].decode("ascii").upper()
        if key in given:
            raise SyntaxRefused(501, "5.5.4", f"The parameter {key} stands there twice")
        given[key] = found[2] or b""
    return given


def _unknown(key: str, command: str) -> NoReturn:
    raise SyntaxRefused(555, "5.5.4", f"The {command} parameter {key} is not supported")


def _matching(pattern: re.Pattern[bytes], value: bytes, key: str) -> str:
    if pattern.fullmatch(value) is None:
        raise SyntaxRefused(501, "5.5.4", f"The value of {key} is not valid")
    return value.decode("ascii")


def _size(value: bytes) -> int:
    return int(_matching(_SIZE, value, "SIZE"))


def _flag(value: bytes) -> bool:
    if value:
        raise SyntaxRefused(501, "5.5.4", "SMTPUTF8 takes no value")
    return True


def _body(value: bytes) -> str:
    return _matching(_BODY, value, "BODY").upper()


def _ret(value: bytes) -> str:
    return _matching(_RET, value, "RET")


def _envid(value: bytes) -> str:
    # RFC 3461 section 4.4.
    if len(value) > 100:
        raise SyntaxRefused(501, "5.5.4", "The value of ENVID is longer than 100 characters")
    return _matching(_XTEXT, value, "ENVID")


def _auth(value: bytes) -> str:
    # RFC 4954 section 5.
    return "<>" if value == b"<>" else _matching(_XTEXT, value, "AUTH")


def _original_recipient(value: bytes, *, smtputf8: bool) -> str:
    """RFC 3461 section 4.2, and RFC 6533 section 3 for the type utf-8."""
    found = _ORCPT.fullmatch(value)
    if found is None or len(value) > 500:
        raise SyntaxRefused(501, "5.5.4", "The value of ORCPT is not valid")
    if not value.isascii() and smtputf8 and found[1].lower() == b"utf-8":
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = "\x00"
        if all(map(_harmless, text)) and text.isprintable():
            return text
    return f"{found[1].decode('ascii')};{_matching(_XTEXT, found[2], 'ORCPT')}"


def _hold_until(given: dict[str, bytes], now: datetime, longest: timedelta) -> datetime | None:
    """RFC 4865: the time before which the sender does not want it sent; None where that has passed."""
    if "HOLDFOR" in given and "HOLDUNTIL" in given:
        raise SyntaxRefused(501, "5.5.4", "Only one of HOLDFOR and HOLDUNTIL can be given")
    if "HOLDFOR" in given:
        seconds = _matching(_SECONDS, given["HOLDFOR"], "HOLDFOR")
        until = now + timedelta(seconds=int(seconds))
    elif "HOLDUNTIL" in given:
        text = _matching(_DATE_TIME, given["HOLDUNTIL"], "HOLDUNTIL")
        try:
            until = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise SyntaxRefused(501, "5.5.4", "The value of HOLDUNTIL is not a time") from None
    else:
        return None
    if until - now > longest:
        raise SyntaxRefused(501, "5.5.4", f"No message is held longer than {longest.days} days on a wish")
    return until if until > now else None


_MAIL_PARAMETERS: dict[str, tuple[str, Callable[[bytes], object]]] = {
    "SIZE": ("size", _size),
    "BODY": ("body", _body),
    "SMTPUTF8": ("smtputf8", _flag),
    "RET": ("ret", _ret),
    "ENVID": ("envid", _envid),
    "AUTH": ("auth", _auth),
}
