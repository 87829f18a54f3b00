"""The reply to EHLO: what this server can do for this client now (RFC 5321 section 4.1.1.1)."""

from collections.abc import Callable
from datetime import datetime

from mailguard.edge.smtp_in.options import SmtpOptions

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN")


class Ehlo:
    """Keeps its answers: they differ only by the minute, by TLS and by whether a password may be sent."""

    def __init__(self, options: SmtpOptions, now: Callable[[], datetime]) -> None:
        self._options = options
        self._now = now
        self._replies: dict[tuple[bool, bool], bytes] = {}
        self._made_at: tuple[int, int] | None = None

    def reply(self, *, tls: bool, auth: bool) -> bytes:
        """The reply's lines; `tls` and `auth` tell whether STARTTLS and AUTH are offered."""
        now = self._now()
        if self._made_at != (now.hour, now.minute):
            # RFC 4865 section 3 wants the latest time for a HOLDUNTIL.
            self._made_at = (now.hour, now.minute)
            self._replies.clear()
        reply = self._replies.get((tls, auth))
        if reply is None:
            reply = self._replies[tls, auth] = self._lines(now, tls=tls, auth=auth)
        return reply

    def _lines(self, now: datetime, *, tls: bool, auth: bool) -> bytes:
        options = self._options
        longest = options.longest_hold
        latest = (now + longest).replace(second=0)
        lines = [options.hostname, *EXTENSIONS, f"SIZE {options.max_message_bytes}"]
        lines.append(f"FUTURERELEASE {int(longest.total_seconds())} {latest:%Y-%m-%dT%H:%M:%SZ}")
        if tls:
            lines.append("STARTTLS")
        if auth:
            lines.append("AUTH PLAIN LOGIN")
        text = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}"
        return text.encode("ascii")
