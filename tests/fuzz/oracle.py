"""What a server may answer to a stream of bytes, worked out a second time and in another way.

It follows the replies that were given: which line each of them answers, which bytes are a message, and what
had to come of it. It knows nothing of the server's code.
"""

import re
from collections import deque
from dataclasses import dataclass, field

REPLY = re.compile(rb"(?:[2-5][0-5][0-9]-[\t -~]*\r\n)*[2-5][0-5][0-9](?: [\t -~]*)?\r\n")
# RFC 5321 section 4.5.3.1.5.
LONGEST_REPLY_LINE = 512

# After these the server hangs up: 421 and 221 always, the others because what follows may be no command.
LAST = re.compile(
    rb"421 |221 |502 5\.5\.1 BDAT|500 5\.5\.2 A command ends with CRLF|451 4\.7\.0 Nothing|220 2\.0\.0 Ready"
)
LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
VEILED = re.compile(rb"(?:\A|\r\n)\0+\.\0*\r\n")
LONGEST_LINE = 65536


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the server was told."""

    max_bytes: int
    normalize: bool


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A message that the server has said 250 to."""

    mail: bytes
    rcpt: tuple[bytes, ...]
    content: bytes


@dataclass
class Oracle:
    """Read one session's two streams with `check`; `taken` and `faults` tell what had to come of it."""

    limits: Limits
    taken: list[Taken] = field(default_factory=list)
    faults: int = 0
    _mail: bytes | None = None
    _rcpt: list[bytes] = field(default_factory=list)

    def check(self, said: bytes, heard: bytes) -> None:
        """Raise AssertionError where the replies do not fit what was said; `heard` begins with the 220."""
        replies = split(heard)
        assert replies.popleft().startswith(b"220 "), "no greeting"
        while replies:
            line, said = next_line(said)
            assert line is not None, f"answers to nothing: {list(replies)!r}"
            reply = replies.popleft()
            while reply.startswith(b"334 "):
                line, said = next_line(said)
                if line is None:
                    assert not replies, "half a line is no response"
                    return
                assert replies, "no answer to a response"
                reply = replies.popleft()
            if LAST.match(reply):
                assert not replies, f"said more after {reply!r}: {list(replies)!r}"
                return
            if reply.startswith(b"354 "):
                said = self._message(said, replies)
            else:
                self._command(line, reply)
            if replies and replies[0].startswith(b"421 "):
                assert len(replies) == 1
                return
        line, _ = next_line(said)
        assert line is None, f"no answer to {line!r}"

    def _command(self, line: bytes, reply: bytes) -> None:
        verb, positive = line[:4].upper(), reply.startswith(b"250")
        if verb in (b"EHLO", b"HELO", b"RSET") and positive:
            self._mail, self._rcpt = None, []
        elif verb == b"MAIL" and positive:
            assert self._mail is None, "two messages at once"
            self._mail, self._rcpt = line, []
        elif verb == b"RCPT" and positive:
            assert self._mail is not None, "a recipient of nothing"
            self._rcpt.append(line)

    def _message(self, said: bytes, replies: "deque[bytes]") -> bytes:
        assert self._mail is not None, "a message from nobody"
        assert self._rcpt, "a message to nobody"
        # As if the line before had just ended (RFC 5321 section 4.1.1.4).
        before, end, rest = (b"\r\n" + said).partition(b"\r\n.\r\n")
        if not end:
            assert all(reply.startswith(b"421 ") for reply in replies), f"an end that is none: {said!r}"
            return b""
        assert replies, "no answer to a message"
        reply = replies.popleft()
        raw = (before + b"\r\n")[2:]
        content = self._content(raw)
        if reply.startswith(b"250 "):
            taken = Taken(mail=self._mail, rcpt=tuple(self._rcpt), content=content)
            self.taken.append(taken)
            assert not self._wrong(raw, content), f"taken: {raw!r}"
        elif reply.startswith(b"451 "):
            assert b"FAULT" in content, reply
            self.faults += 1
        else:
            assert self._wrong(raw, content) or b"REFUSE" in content, f"{reply!r} to {raw!r}"
        self._mail, self._rcpt = None, []
        return rest

    def _content(self, raw: bytes) -> bytes:
        plain = b"\r\n".join(line.removeprefix(b".") for line in raw.split(b"\r\n"))
        return re.sub(rb"\r\n|\r|\n", b"\r\n", plain) if self.limits.normalize else plain

    def _wrong(self, raw: bytes, content: bytes) -> bool:
        if not self.limits.normalize and LONE.search(raw):
            return True
        long = any(len(line) > LONGEST_LINE for line in raw.split(b"\r\n"))
        return long or VEILED.search(raw) is not None or len(content) > self.limits.max_bytes


def next_line(said: bytes) -> tuple[bytes | None, bytes]:
    """The line that the server has to answer next, if there is a whole one, and what is left."""
    line, end, rest = said.partition(b"\n")
    return (line, rest) if end else (None, said)


def split(heard: bytes) -> "deque[bytes]":
    """The replies, each of which must be one (RFC 5321 section 4.2)."""
    replies: deque[bytes] = deque()
    at = 0
    while at < len(heard):
        found = REPLY.match(heard, at)
        assert found, f"this is no reply: {heard[at : at + 200]!r}"
        codes = {line[:3] for line in found[0].split(b"\r\n") if line}
        assert len(codes) == 1, f"several codes in one reply: {found[0]!r}"
        assert max(map(len, found[0].split(b"\r\n"))) <= LONGEST_REPLY_LINE - 2
        replies.append(found[0])
        at = found.end()
    return replies
