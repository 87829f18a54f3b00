"""The DATA section of one message, taken out of the connection's buffer piece by piece.

It ends only at CRLF "." CRLF (RFC 5321 section 4.1.1.4), whatever else looks like an end. The bytes are
kept once, as they came, but for the dots that the client had doubled.
"""

import io
import re

from mailguard.core.reply import Reply

# RFC 5321 section 4.5.3.1.6 has 998; real mail has longer lines, and it is not ours to cut them.
LONGEST_LINE = 65536

# A server that drops NUL would read the end of a message here, and what follows as commands.
_VEILED_DOT = re.compile(rb"(?:^|\r\n)\x00+\.\x00*\r\n")

BARE_NEWLINE = Reply(code=550, status="5.6.0", text="A lone CR or LF is not allowed inside a message")
VEILED_DOT = Reply(code=550, status="5.6.0", text="A dot between NULs is not allowed on a line of its own")
LONG_LINE = Reply(
    code=550, status="5.6.0", text=f"A line of the message is longer than {LONGEST_LINE} octets"
)


class Content:
    """Grows by `feed` until the end of the data was seen; then `fault` or `take` tells the outcome.

    With `normalize`, a lone CR or LF becomes CRLF; without, it is a fault. A message with a fault is read
    to its end, so that the client listens when it is told, but no longer kept.
    """

    def __init__(self, *, max_bytes: int, normalize: bool = False) -> None:
        self.fault: Reply | None = None
        self.size = 0
        self._max_bytes = max_bytes
        self._normalize = normalize
        self._kept = io.BytesIO()
        self._scanned = 0
        self._in_long_line = False

    def feed(self, buffer: bytearray) -> bool:
        """Take what can be taken from the front of `buffer`; True when the end of the data was taken too."""
        last = buffer.rfind(b"\r\n", self._scanned)
        if last < 0:
            self._scanned = max(len(buffer) - 1, 0)
            if len(buffer) > LONGEST_LINE + 1:
                self._skip(buffer)
            return False
        self._scanned = 0
        with memoryview(buffer) as view:
            lines = bytes(view[: last + 2])
        start = 0
        if self._in_long_line:
            start = lines.index(b"\r\n") + 2
            self._in_long_line = False
        # Only a line that begins with a dot can be the end, or have its dot doubled: one look for both.
        dotted = lines.find(b"\r\n.", start)
        if lines.startswith(b".\r\n", start):
            end = start
        else:
            end = lines.find(b"\r\n.\r\n", dotted) + 2 if dotted >= 0 else 1
        # No line of a dot alone leaves it at 1, where no line can begin.
        ended = end != 1
        if not ended:
            end = len(lines)
        del buffer[: end + 3 if ended else end]
        self._keep(lines[start:end], stuffed=0 <= dotted < end - 2)
        return ended

    def take(self) -> bytes:
        """The message; this object is empty afterwards."""
        content = self._kept.getvalue()
        self._kept = io.BytesIO()
        return content

    def drop(self, fault: Reply) -> None:
        """Keep nothing more of this message: it is refused with `fault`, or with what was wrong before."""
        self.fault = self.fault or fault
        self._kept = io.BytesIO()
        self.size = 0

    def _skip(self, buffer: bytearray) -> None:
        self.drop(LONG_LINE)
        self._in_long_line = True
        # A CR at the end may be the first half of the line's end.
        del buffer[: len(buffer) - buffer.endswith(b"\r")]
        self._scanned = 0

    def _keep(self, lines: bytes, *, stuffed: bool) -> None:
        """`lines` are whole lines; `stuffed` tells whether one of them, but the first, begins with a dot."""
        if self.fault is not None or not lines:
            return
        if fault := self._fault(lines):
            self.drop(fault)
            return
        # RFC 5321 section 4.5.2.
        plain = lines[1:] if lines.startswith(b".") else lines
        if stuffed:
            plain = plain.replace(b"\r\n.", b"\r\n")
        if self._normalize and _has_bare_newline(lines):
            plain = plain.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        if self.size + len(plain) > self._max_bytes:
            self.drop(too_large(self._max_bytes))
            return
        self._kept.write(plain)
        self.size += len(plain)

    def _fault(self, lines: bytes) -> Reply | None:
        if not self._normalize and _has_bare_newline(lines):
            return BARE_NEWLINE
        if len(lines) > LONGEST_LINE and _has_long_line(lines):
            return LONG_LINE
        if b"\x00" in lines and _VEILED_DOT.search(lines):
            return VEILED_DOT
        return None


def too_large(max_bytes: int) -> Reply:
    """RFC 1870 section 6.2."""
    return Reply(code=552, status="5.3.4", text=f"The message is larger than {max_bytes} octets")


def _has_bare_newline(lines: bytes) -> bool:
    # Every CR and LF belongs to a CRLF when there are twice as many of them.
    return len(lines) - len(lines.translate(None, b"\r\n")) != 2 * lines.count(b"\r\n")


def _has_long_line(lines: bytes) -> bool:
    start = 0
    while len(lines) - start > LONGEST_LINE:
        # The furthest line end in reach: every line between here and there is short enough.
        end = lines.rfind(b"\r\n", start, start + LONGEST_LINE + 2)
        if end < 0:
            return True
        start = end + 2
    return False
