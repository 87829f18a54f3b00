"""Mail that is made to be slow to read: each construct in any size, so that growth can be measured."""

import base64
from collections.abc import Callable, Mapping

Make = Callable[[int], bytes]

HEAD = b"From: a@corp.example\r\nTo: b@client.example\r\nSubject: x\r\n"


def _repeated(pattern: bytes, size: int) -> bytes:
    return pattern * (size // len(pattern) + 1)


def _field(name: bytes, pattern: bytes, end: bytes = b"") -> Make:
    """One header field that is full of the same few characters."""
    return lambda size: HEAD + name + b": " + _repeated(pattern, size) + end + b"\r\n\r\nx\r\n"


def _folded(name: bytes, pattern: bytes) -> Make:
    """The same on many lines."""
    return lambda size: HEAD + name + b":" + _repeated(b"\r\n " + pattern, size) + b"\r\n\r\nx\r\n"


def _fields(line: bytes) -> Make:
    """Very many header fields."""
    return lambda size: HEAD + _repeated(line + b"\r\n", size) + b"\r\nx\r\n"


def _body(kind: bytes, pattern: bytes, *, encoding: bytes = b"", start: bytes = b"") -> Make:
    """A body of one part that is full of the same few characters."""
    fields = b"Content-Type: " + kind + b"\r\n" + (b"Content-Transfer-Encoding: " + encoding + b"\r\n")
    return lambda size: HEAD + fields + b"\r\n" + start + _repeated(pattern, size)


def _mixed(pattern: bytes, boundary: bytes = b"b") -> Make:
    """The inside of a multipart."""
    head = HEAD + b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
    return lambda size: head + _repeated(pattern, size)


def _nested(size: int) -> bytes:
    """Multiparts in multiparts, each with a boundary of its own."""
    levels: list[bytes] = []
    made = 0
    while made < size:
        level = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (len(levels), len(levels))
        levels.append(level)
        made += len(level)
    return HEAD + b"".join(levels)


def _prefixes(size: int) -> bytes:
    """A hundred open boundaries, each the beginning of the next, and lines that are nearly each of them."""
    head = HEAD
    for depth in range(1, 101):
        name = b"b" * depth
        head += b"Content-Type: multipart/mixed; boundary=" + name + b"\r\n\r\n--" + name + b"\r\n"
    return head + _repeated(b"--" + b"b" * 101 + b"\r\n--" + b"b" * 99 + b"-\r\n", size)


def _messages(size: int) -> bytes:
    """Messages in messages (message/rfc822)."""
    return HEAD + _repeated(b"Content-Type: message/rfc822\r\n\r\n", size)


def _continued(size: int) -> bytes:
    """A file name in very many pieces (RFC 2231 section 3)."""
    count = size // 20 + 1
    pieces = b"".join(b";\r\n name*%d*=%%41bc" % number for number in range(count))
    return HEAD + b"Content-Type: application/x" + pieces + b"\r\n\r\nx\r\n"


def _names(size: int) -> bytes:
    """Parts whose names are encoded words."""
    part = b"--b\r\nContent-Type: a/b; name*=utf-8''%41%42; name=\"=?utf-8?q?=41?=\"\r\n\r\nx\r\n"
    return _mixed(part)(size)


def _zeros(size: int) -> bytes:
    """Base64 of one byte over and over, as large as asked for."""
    lines = base64.encodebytes(b"\0" * (size * 3 // 4)).replace(b"\n", b"\r\n")
    return HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines


# Headers: everything that a parser of addresses, encoded words or parameters could go over twice.
HEADERS: Mapping[str, Make] = {
    f"{name.decode().lower()} of {label}": _field(name, pattern)
    for name in (b"To", b"Subject", b"References", b"Content-Type", b"Content-Disposition", b"X-Any")
    for label, pattern in {
        "semicolons": b";",
        "parentheses": b"(",
        "closed parentheses": b"()",
        "encoded words": b"=?utf-8?q?x?=",
        "spaced encoded words": b"=?utf-8?q?x?= ",
        "half encoded words": b"=?utf-8?q?",
        "unknown encoded words": b"=?x?q?",
        "encoded words of base64": b"=?utf-8?b?QUFB?= ",
        "quotation marks": b'"',
        "backslashes": b"\\",
        "escaped quotation marks": b'\\"',
        "angle brackets": b"<",
        "routes": b"<@a:",
        "ids": b"<a@b> ",
        "half ids": b"<a@b",
        "commas": b",",
        "colons": b"a:",
        "spaces": b" ",
        "tabs and commas": b"\t,",
        "square brackets": b"[",
        "at signs": b"@",
        "parameters": b';a="b"',
        "half parameters": b';a="',
        "continuations": b";a*0*=",
        "8 bits": b"\xff",
        "half UTF-8": b"\xc3",
        "NULs": b"\0",
    }.items()
} | {
    "folded encoded words": _folded(b"Subject", b"=?utf-8?q?x?="),
    "folded nothing": _folded(b"Subject", b""),
    "folded addresses": _folded(b"To", b"a <a@b.example>,"),
    "very many fields": _fields(b"X-Any: x"),
    "very many empty fields": _fields(b"A:"),
    "very many Received": _fields(b"Received: from x by y"),
    "very many Bcc": _fields(b"Bcc: x@y.example"),
    "very many Bcc with folds before the colon": _fields(b"Bcc\r\n \r\n \r\n x"),
    "lines without a colon": _fields(b"x"),
    "lines of one letter and a space": _fields(b"x "),
    "references of different ids": lambda size: (
        HEAD + b"References:" + b"".join(b"\r\n <%d@x>" % n for n in range(size // 10)) + b"\r\n\r\nx"
    ),
    "an address of marks on one letter": lambda size: (
        HEAD + b"Cc: a" + "\u0327\u0301".encode() * (size // 4) + b"@x.example\r\n\r\nx"
    ),
    "a domain of one long label": lambda size: (
        HEAD + b"Cc: a@" + "\u00fc\u4e00".encode() * (size // 5) + b".example\r\n\r\nx"
    ),
    "a name of marks on one letter": lambda size: (
        HEAD + b"Cc: a@b" + "\u0327\u0301".encode() * (size // 4) + b" <a@x.example>\r\n\r\nx"
    ),
    "every address field": lambda size: (
        b"".join(
            name + b": " + _repeated(b"\t,", size // 5) + b"\r\n"
            for name in (b"From", b"Sender", b"To", b"Cc", b"Reply-To")
        )
        + b"\r\nx"
    ),
    "every address field with names": lambda size: (
        b"".join(
            name + b": " + _repeated(b"=?a?q?b?=(a)<a@b>,", size // 5) + b"\r\n"
            for name in (b"From", b"Sender", b"To", b"Cc", b"Reply-To")
        )
        + b"\r\nx"
    ),
    "a name of addresses": _field(b"Cc", b"a@b.c ", b"<a@x.example>"),
    "a name of at signs and dots": _field(b"Cc", b"@.", b"<a@x.example>"),
    "very many From": _fields(b"From: x@y.example"),
    "a name without end": lambda size: HEAD + b"x" * size + b": y\r\n\r\nx",
    "UTF-7 in encoded words": _field(b"Subject", b"=?utf-7?q?+AGEAYg-?= "),
    "ISO-2022 in encoded words": _field(b"Subject", b"=?iso-2022-jp?b?GyRC?= "),
    "charsets that nobody knows": lambda size: (
        HEAD + b"Subject: " + b" ".join(b"=?x%d?q?a?=" % n for n in range(size // 12)) + b"\r\n\r\nx"
    ),
}

# Bodies: nesting, boundaries, charsets, transfer encodings, markup.
BODIES: Mapping[str, Make] = {
    "deep nesting": _nested,
    "boundaries that begin alike": _prefixes,
    "messages in messages": _messages,
    "a name in very many pieces": _continued,
    "names in encoded words": _names,
    "very many parts": _mixed(b"--b\r\n\r\n"),
    "very many parts with a header": _mixed(b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n"),
    "very many multiparts": _mixed(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
    "dashes": _mixed(b"--\r\n"),
    "dashes that are no boundary": _mixed(b"--c\r\n"),
    "a boundary that closes again and again": _mixed(b"--b--\r\n"),
    "empty lines": _mixed(b"\r\n"),
    "bare line feeds": _mixed(b"\n"),
    "a boundary of spaces": _mixed(b"--  \r\n", b"  "),
    "zeros in base64": _zeros,
    "base64 that is none": _body(b"text/plain", b"!!!=", encoding=b"base64"),
    "base64 with padding everywhere": _body(b"text/plain", b"QQ==", encoding=b"base64"),
    "quoted-printable soft breaks": _body(b"text/plain", b"=\r\n", encoding=b"quoted-printable"),
    "quoted-printable half escapes": _body(b"text/plain", b"=4", encoding=b"quoted-printable"),
    "quoted-printable spaces": _body(b"text/plain", b" \t", encoding=b"quoted-printable"),
    "UTF-7": _body(b"text/plain; charset=utf-7", b"+AGEAYg-"),
    "UTF-7 without end": _body(b"text/plain; charset=utf-7", b"A", start=b"+"),
    "UTF-7 that is none": _body(b"text/plain; charset=utf-7", b"+\xff"),
    "ISO-2022-JP escapes": _body(b"text/plain; charset=iso-2022-jp", b"\x1b$B\x1b(B"),
    "ISO-2022-KR": _body(b"text/plain; charset=iso-2022-kr", b"\x0e\x0f", start=b"\x1b$)C"),
    "HZ": _body(b"text/plain; charset=hz", b"~{~}"),
    "GB18030": _body(b"text/plain; charset=gb18030", b"\x81\x30\x81\x30"),
    "UTF-16 surrogates": _body(b"text/plain; charset=utf-16", b"\x00\xd8"),
    "UTF-32": _body(b"text/plain; charset=utf-32", b"\x00\x00\x11\x00"),
    "a codec that is none": _body(b"text/plain; charset=zlib", b"x\x9cK\x04\x00"),
    "punycode": _body(b"text/plain; charset=punycode", b"-a9"),
    "uuencode": _body(b"text/plain; charset=uu", b"begin 666 x\r\nM" + b"A" * 60 + b"\r\n"),
    "uuencode as an encoding": _body(b"text/plain", b"M" + b"A" * 60 + b"\r\n", encoding=b"x-uuencode"),
    "a calendar": _body(b"text/calendar", b"BEGIN:VEVENT\r\nRRULE:FREQ=SECONDLY\r\n"),
    "quoted mail": _body(b"text/plain", b"> "),
    "quoted lines": _body(b"text/plain", b">\r\n"),
    "introductions": _body(b"text/plain", b"On 1 a@b wrote\r\n"),
    "introductions with a colon": _body(b"text/plain", b"On 1 a@b wrote:\r\nx\r\n"),
    "Outlook headers": _body(b"text/plain", b"From: x\r\n"),
    "underscores": _body(b"text/plain", b"__________\r\n"),
    "sentences about attachments": _body(b"text/plain", b"see attached "),
    "questions about attachments": _body(b"text/plain", b"is it attached?\r\n"),
    "lines with a colon": _body(b"text/plain", b"1:\r\n"),
    "combining marks": _body(b"text/plain", "a\u0301\u0327".encode()),
    "combining marks on one letter": _body(b"text/plain", "\u0327\u0301".encode(), start=b"a"),
    "ligatures": _body(b"text/plain", "\ufdfa\u0130\ufb03".encode()),
} | {
    f"HTML {label}": _body(b"text/html", pattern)
    for label, pattern in {
        "tags": b"<b>",
        "blocks": b"<div>",
        "quotations": b'<blockquote type="cite">',
        "closed quotations": b"<blockquote cite></blockquote></blockquote>",
        "half tags": b"<a ",
        "less than": b"<",
        "comments": b"<!--",
        "closed comments": b"<!---->",
        "scripts": b"<script>",
        "half scripts": b"<script",
        "closed scripts": b"<script></script>",
        "closing scripts": b"</script",
        "styles": b"<style><title>",
        "templates": b"<svg></object",
        "attributes": b"<a b='c' d=",
        "half attributes": b"<a b='",
        "equals signs": b"<a =",
        "entities": b"&amp;",
        "half entities": b"&a",
        "numbers": b"&#1;",
        "long numbers": b"&#99999999999;",
        "declarations": b"<!",
        "instructions": b"<?",
        "cells": b"<td>",
        "cdata": b"<![CDATA[",
    }.items()
}

ALL: Mapping[str, Make] = {**HEADERS, **BODIES}
