"""Messages to hand to a mail client, and how to compare what came out with what went in."""

import re
import uuid
from dataclasses import dataclass

from tests.guard import SENDER, Wanted


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What a client is to send. `content` has CRLF line ends."""

    recipients: tuple[str, ...]
    content: bytes
    subject: str


def some_mail() -> Mail:
    """A message with what relays get wrong: 8-bit text, dots, odd folding, a blind recipient."""
    token = uuid.uuid4().hex
    recipients = (
        f"bob-{token}@client.example",
        f"carol-{token}@partner.example",
        f"blind-{token}@spy.example",
    )
    lines = [
        f"From: Alice <{SENDER}>",
        f"To: bob-{token}@client.example,",
        f"\tcarol-{token}@partner.example",
        f"Bcc: someone@spy.example,\r\n blind-{token}@spy.example",
        f"Subject: {token}",
        "Date: Sun, 22 Nov 2026 10:00:00 +0000",
        f"Message-ID: <{token}@corp.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "X-Folded: one",
        "   two",
        "",
        "Grüße aus dem Büro,",
        ".",
        "..two dots",
        "trailing blanks  \t",
        "a long line: " + "x" * 900,
        "",
        "bcc: this is text",
        "",
    ]
    return Mail(recipients=recipients, content="\r\n".join(lines).encode(), subject=token)


def is_of(mail: Mail) -> Wanted:
    return lambda message: message["subject"] == mail.subject


def taken_apart(content: bytes) -> tuple[bytes, bytes]:
    """The first header field, with its folded lines, and all the rest."""
    match = re.match(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", content)
    assert match
    return match.group(), content[match.end() :]


def without_bcc(content: bytes) -> bytes:
    head, blank, body = content.partition(b"\r\n\r\n")
    kept = re.sub(rb"(?im)^Bcc:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", b"", head + b"\r\n")
    return kept[:-2] + blank + body
