"""Messages with everything that relays get wrong, made here, and what of them may leave."""

import re

HEAD = b"From: Alice <alice@corp.example>\r\nTo: client@customer.example\r\nSubject: odd\r\n"

ODD_MAIL: tuple[bytes, ...] = (
    HEAD + b"\r\nplain\r\n",
    # Without a body, without a header, without a separator.
    HEAD + b"\r\n",
    b"\r\nonly a body\r\n",
    b"this is no header at all\r\n",
    # Dots where transparency (RFC 5321 section 4.5.2) could eat one.
    HEAD + b"\r\n.\r\n..\r\n...\r\n.a\r\n\r\n.\r\n",
    # White space that must stay, and a last line that is empty.
    HEAD + b"\r\ntrailing  \t\r\n \r\n\t\r\n\r\n\r\n",
    # 8 bits, UTF-8 and not, and a NUL.
    HEAD + "\r\nGrüße aus dem Büro\r\n".encode(),
    HEAD + b"\r\n\xff\xfe\x80\x00\x01\r\n",
    # Lines longer than the 998 octets of RFC 5322 section 2.1.1.
    HEAD + b"\r\n" + b"x" * 5000 + b"\r\n",
    b"From: a@corp.example\r\nX-Long: " + b"y" * 3000 + b"\r\n\r\nlong header\r\n",
    # Bcc in every dress, and what only looks like it.
    HEAD + b"Bcc: secret@spy.example\r\n\r\nbcc: in the body stays\r\n",
    HEAD + b"BCC: one@spy.example,\r\n two@spy.example,\r\n\tthree@spy.example\r\nX-After: kept\r\n\r\nx\r\n",
    b"bcc : first@spy.example\r\n" + HEAD + b"Resent-Bcc: again@spy.example\r\n\r\nx\r\n",
    HEAD + b"X-Bcc: stays\r\nNotbcc: stays\r\n\r\nx\r\n",
    HEAD + b"Content-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\nBcc: inner@stays.example\r\n\r\nx\r\n",
    # Headers in an order and a dress that no parser would write again.
    b"subject:no space\r\nSUBJECT:  twice\r\nX-Empty:\r\nX-Fold:\r\n a\r\n\tb\r\n" + HEAD + b"\r\nx\r\n",
    b"Subject: =?utf-8?Q?broken?= =?x?y?z?=\r\n" + HEAD + b"\r\nx\r\n",
    # A multipart whose boundaries are wrong.
    HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nopen\r\n--c--\r\n',
    HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n!!!! this is no base64 ====\r\n",
    # Signed text, where one byte more or less breaks it.
    HEAD + b"DKIM-Signature: v=1; a=rsa-sha256; h=from:to;\r\n\tb=AAAA\r\n\r\nsigned \r\n\r\n",
)

# The shape of a hidden field, written down here a second time on purpose: the test must not lean on the
# program's own idea of it.
_HIDDEN = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")


def without_bcc(content: bytes) -> bytes:
    """The message as it may leave."""
    head, separator, body = content.partition(b"\r\n\r\n")
    if content.startswith(b"\r\n") or not separator:
        return content
    return _HIDDEN.sub(b"", head + b"\r\n") + separator[2:] + body
