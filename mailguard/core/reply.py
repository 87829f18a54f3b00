"""The answer to an SMTP command, as a value (RFC 5321 section 4.2, RFC 2034)."""

from mailguard.core.value import dataclass

# RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets, CRLF and code included.
LONGEST_TEXT = 480


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """`code` is the three digits, `status` the enhanced code (empty where RFC 2034 has none)."""

    code: int
    status: str
    text: str

    def __str__(self) -> str:
        clean = self.text
        if not (clean.isascii() and clean.isprintable()):
            # A line break in a text would be a second reply to the client.
            clean = "".join(char if char.isprintable() and char.isascii() else "?" for char in clean)
        status = f"{self.status} " if self.status else ""
        return f"{self.code} {status}{clean[:LONGEST_TEXT]}"

    @property
    def accepted(self) -> bool:
        """Whether the client may forget the message now."""
        return 200 <= self.code < 300
