"""A mail that the guard writes to a person: said once, sent as plain text and as HTML.

It comes from the null sender, so that nothing is ever reported on it, and says that a program wrote it
(RFC 3834), so that no other program answers. Every word in it that is not ours is cleaned first.
"""

import binascii
from collections.abc import Sequence
from dataclasses import field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from mailguard.core import charset, own_mail
from mailguard.core.events import GUARD, Event
from mailguard.core.hold import NewMessage
from mailguard.core.value import dataclass

_LONGEST = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """Some sentences; `strong` where it is what the reader must see first."""

    text: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list, one line each."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """Names with what they stand for."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """A link that looks like what to press, or, `quiet`, like what one may press; `url` is ours."""

    label: str
    url: str
    quiet: bool = False


Block = Paragraph | Items | Pairs | Button


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What is written to whom. `reply_to` is where an answer goes; `answers` is the Message-ID (with its
    brackets) of the mail that it is about, so that programs show it under that one; `about` is that
    message's id here."""

    to: str
    subject: str
    blocks: tuple[Block, ...]
    language: str
    reply_to: str = ""
    answers: str = ""
    about: str = ""
    kind: str = "notice"
    attached: tuple[bytes, ...] = field(default=())


def queued(notice: Notice, *, id: str, hostname: str, now: datetime) -> NewMessage:
    """The notice as a message of the queue, on its way at once to its reader and nobody else; `id` is a
    fresh message id."""
    content = b"\r\n".join([*_head(notice, id, hostname, now), *_parts(notice, id), b""])
    message = own_mail.queued(
        content,
        to=notice.to,
        subject=_clean(notice.subject),
        id=id,
        hostname=hostname,
        now=now,
        kind=own_mail.NOTICE,
    )
    event = Event(at=now, event="received", by=GUARD, detail={"kind": notice.kind, "about": notice.about})
    return NewMessage(message=message, content=content, event=event)


def _head(notice: Notice, id: str, hostname: str, now: datetime) -> list[bytes]:
    whole = "multipart/mixed" if notice.attached else "multipart/alternative"
    lines = [
        f"From: mailguard <postmaster@{hostname}>",
        f"To: <{_clean(notice.to)}>",
        *([f"Reply-To: <{notice.reply_to}>"] if notice.reply_to else []),
        f"Subject: {own_mail.encoded(_clean(notice.subject))}",
        f"Date: {format_datetime(now.astimezone(UTC))}",
        f"Message-ID: <{id}@{hostname}>",
        *own_mail.answering(notice.answers),
        # RFC 3834 section 5: no robot is to answer this. The second is for those that read only it.
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        f"Content-Language: {notice.language}",
        "MIME-Version: 1.0",
        f'Content-Type: {whole}; boundary="=_{id}"',
        "",
    ]
    return [line.encode() for line in lines]


def _parts(notice: Notice, id: str) -> list[bytes]:
    mark = f"--=_{id}".encode()
    both = [
        *_text_part("text/plain", plain(notice.blocks)),
        f"--=_{id}-a".encode() if notice.attached else mark,
        *_text_part("text/html", html(notice)),
    ]
    if not notice.attached:
        return [mark, *both, mark + b"--"]
    inner = f"=_{id}-a".encode()
    head = [b'Content-Type: multipart/alternative; boundary="' + inner + b'"', b"", b"--" + inner]
    lines = [mark, *head, *both, b"--" + inner + b"--"]
    for content in notice.attached:
        encoding = b"7bit" if content.isascii() else b"8bit"
        lines += [
            mark,
            b"Content-Type: message/rfc822",
            b"Content-Disposition: attachment",
            b"Content-Transfer-Encoding: " + encoding,
            b"",
            content,
        ]
    return [*lines, mark + b"--"]


def _text_part(kind: str, text: str) -> list[bytes]:
    return [
        f"Content-Type: {kind}; charset=utf-8".encode(),
        b"Content-Transfer-Encoding: quoted-printable",
        b"",
        binascii.b2a_qp(text.replace("\n", "\r\n").encode(errors="replace")),
    ]


def plain(blocks: Sequence[Block]) -> str:
    """The notice for a terminal, or a watch."""
    return "\n\n".join(_plain(block) for block in blocks) + "\n"


def _plain(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _clean(block.text)
    if isinstance(block, Items):
        return "\n".join(f"  - {_clean(line)}" for line in block.lines)
    if isinstance(block, Pairs):
        width = max((len(name) for name, _ in block.rows), default=0)
        return "\n".join(f"  {name:<{width}}  {_clean(value)}" for name, value in block.rows)
    return f"{block.label}: {block.url}"


# Inline, because mail programs drop style sheets; two greys and one blue that can be read on white and on
# the black that some programs make of it.
_BODY = "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;max-width:36em;margin:0 auto;padding:1em"
_BUTTON = (
    "display:inline-block;padding:.6em 1.2em;border-radius:.4em;background:#1a56db;color:#ffffff;"
    "text-decoration:none;font-weight:600"
)
_QUIET = (
    "display:inline-block;padding:.5em 1.1em;border-radius:.4em;border:1px solid currentColor;"
    "color:inherit;text-decoration:none"
)
_NAME = "text-align:left;vertical-align:top;padding:0 1em .2em 0;font-weight:400;opacity:.75"


def html(notice: Notice) -> str:
    """The notice for everybody else: no script, no picture, nothing that is fetched."""
    body = "\n".join(_html(block) for block in notice.blocks)
    return (
        f'<!doctype html>\n<html lang="{notice.language}"><head><meta charset="utf-8">'
        f'<meta name="color-scheme" content="light dark"><title>{_escaped(notice.subject)}</title></head>\n'
        f'<body style="{_BODY}">\n{body}\n</body></html>\n'
    )


def _html(block: Block) -> str:
    if isinstance(block, Paragraph):
        text = _escaped(block.text)
        return f"<p><strong>{text}</strong></p>" if block.strong else f"<p>{text}</p>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{_escaped(line)}</li>" for line in block.lines) + "</ul>"
    if isinstance(block, Pairs):
        rows = "".join(
            f'<tr><th scope="row" style="{_NAME}">{_escaped(name)}</th><td>{_escaped(value)}</td></tr>'
            for name, value in block.rows
        )
        return f'<table role="presentation" style="border-collapse:collapse">{rows}</table>'
    style = _QUIET if block.quiet else _BUTTON
    return f'<p><a href="{escape(block.url)}" style="{style}">{_escaped(block.label)}</a></p>'


def _clean(text: str) -> str:
    return charset.clean(text)[:_LONGEST]


def _escaped(text: str) -> str:
    return escape(_clean(text))
