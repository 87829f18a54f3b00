"""Reads the inside of a message: its text, what of that its sender wrote, and what is attached.

Pure and bounded, whatever the bytes: one pass to find the parts, and a bound on the text that is read.
"""

import binascii
from collections.abc import Iterator

from mailguard.core import charset, invitation, markup, mime, quoted
from mailguard.core.facts import NO_INVITATION, Body
from mailguard.core.invitation import Invitation
from mailguard.core.mime import Part

# Encoded bytes of text that are read of a message, all text parts together.
TEXT_LIMIT = 256 * 1024

_TEXTS = ("text/plain", "text/html")
# RFC 6047 section 2.4, and what programs attach beside it.
_CALENDARS = ("text/calendar", "application/ics")
_CALENDAR_PARTS = 4


def read_body(content: bytes) -> Body:
    """What could be read of the inside; never raises, and linear in the length of the message."""
    found = mime.walk(content)
    texts = [part for part in found.parts if _is_text(part)]
    # RFC 2046 section 5.1.4: the same text in another form is not read twice.
    said = {
        part.alternative for part in texts if part.kind == "text/plain" and _says_something(content, part)
    }
    room = TEXT_LIMIT
    complete = True
    whole: list[str] = []
    own: list[str] = []
    for part in texts:
        if part.kind == "text/html" and part.alternative and part.alternative in said:
            continue
        text = _text(content, part, room)
        complete = complete and part.end - part.start <= room
        room = max(0, room - (part.end - part.start))
        whole.append(text)
        own.append(quoted.own_text(text))
    return Body(
        text="\n".join(whole),
        own_text="\n".join(filter(None, own)),
        attachments=tuple(_attachments(found.parts)),
        invitation=_invitation(content, found.parts),
        complete=complete,
        readable=found.whole,
    )


def _invitation(content: bytes, parts: tuple[Part, ...]) -> Invitation:
    """Whom it invites. Most mail has no calendar in it, and two forms of one name the same people."""
    calendars = [part for part in parts if part.kind in _CALENDARS][:_CALENDAR_PARTS]
    if not calendars:
        return NO_INVITATION
    found = [invitation.read(_text(content, part, invitation.TEXT_LIMIT)) for part in calendars]
    return Invitation(
        people=tuple(dict.fromkeys(who for one in found for who in one.people)),
        by=tuple(dict.fromkeys(who for one in found for who in one.by)),
    )


def _is_text(part: Part) -> bool:
    # A text with a file name is a file, unless it is all there is to read.
    return (
        part.kind in _TEXTS
        and part.disposition != "attachment"
        and (part.name is None or part.parent in ("", "alternative"))
    )


def _says_something(content: bytes, part: Part) -> bool:
    return bool(content[part.start : min(part.end, part.start + 1024)].strip())


def _text(content: bytes, part: Part, room: int) -> str:
    raw = _decoded(content[part.start : min(part.end, part.start + room)], part.encoding)
    if part.end - part.start > room:
        raw = charset.before_cut(raw)
    text = charset.decode(raw, part.charset or "utf-8")
    return markup.to_text(text) if part.kind == "text/html" else charset.clean_lines(text)


def _decoded(raw: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return charset.base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    return raw


def attached(content: bytes) -> list[tuple[str, int]]:
    """The name of each file that is attached, "" where it has none, and about how many bytes it has."""
    return [
        (part.name or "", (part.end - part.start) * (3 if part.encoding == "base64" else 4) // 4)
        for part in mime.walk(content).parts
        if _is_attachment(part)
    ]


def html_text(content: bytes, room: int) -> str:
    """The first `room` bytes of what a message says in HTML, as it stands there, "" where it says nothing in
    it. Nobody is to be shown that before it was cleaned."""
    for part in mime.walk(content).parts:
        if part.kind == "text/html" and _is_text(part):
            raw = _decoded(content[part.start : min(part.end, part.start + room)], part.encoding)
            return charset.clean_lines(charset.decode(raw, part.charset or "utf-8"))
    return ""


def _attachments(parts: tuple[Part, ...]) -> Iterator[str]:
    return (part.name or "" for part in parts if _is_attachment(part))


def _is_attachment(part: Part) -> bool:
    """Whether a person would say that it is attached, and not that it is shown or that a program added it."""
    if _is_text(part) or _automatic(part):
        return False
    if part.disposition == "attachment":
        return True
    if part.kind.startswith("image/"):
        # Shown where the text refers to it; but some programs write "inline" on every file.
        shown = part.embedded or part.parent == "related"
        return not shown and (part.disposition != "inline" or bool(part.name))
    return not part.kind.startswith("text/") or part.name is not None


def _automatic(part: Part) -> bool:
    """What nobody attached: signatures (RFC 1847), the inside of an encrypted message, reports (RFC 6522),
    and a multipart that could not be taken apart."""
    if part.parent == "signed":
        return part.kind.endswith("-signature")
    return part.parent in ("encrypted", "report") or part.kind.startswith("multipart/")
