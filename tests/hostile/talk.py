"""A client on a blocking socket that says exactly what it is told to, and holds every reply to RFC 5321."""

import re
import socket
import ssl
from base64 import b64encode
from types import TracebackType
from typing import Self

from tests.guard import LOGIN, PASSWORD, SENDER, Guard

# RFC 5321 section 4.2 and 4.5.3.1.5, with the enhanced code of RFC 2034 where it has to be.
REPLY_LINE = re.compile(rb"[2-5][0-5][0-9](?:[ -][\t -~]*)?\r\n")
LONGEST_REPLY_LINE = 512
# Nothing of our inside is anybody's business.
INSIDE = re.compile(rb"Traceback|Error: |Exception|\.py\b|File \"|sqlite|/state/", re.IGNORECASE)

LOG_IN = b"AUTH PLAIN " + b64encode(f"\0{LOGIN}\0{PASSWORD}".encode())
FROM = b"MAIL FROM:<" + SENDER.encode() + b">"


class Talk:
    """One connection, past the greeting and, with `hello`, past EHLO. `source` is where it comes from."""

    def __init__(
        self,
        guard: Guard,
        *,
        tls: bool = False,
        hello: bool = True,
        source: str = "127.0.0.1",
        timeout: float = 20,
    ) -> None:
        port = guard.tls_port if tls else guard.port
        self._ca = str(guard.ca)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        if tls:
            self.shake_hands()
        assert self.reply().startswith(b"220 ")
        if hello:
            assert self.code(b"EHLO laptop.example") == 250

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def shake_hands(self) -> None:
        """The client's half of a TLS handshake."""
        context = ssl.create_default_context(cafile=self._ca)
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def send(self, data: bytes) -> None:
        """These bytes, as they are."""
        self.socket.sendall(data)

    def line(self) -> bytes:
        """The next line; empty where the server has hung up."""
        while b"\n" not in self._buffer:
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                assert not self._buffer, f"half a reply: {self._buffer!r}"
                return b""
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def reply(self) -> bytes:
        """One whole reply, which must be one; empty where the server has hung up."""
        lines: list[bytes] = []
        while True:
            line = self.line()
            if not line and not lines:
                return b""
            assert REPLY_LINE.fullmatch(line), f"this is no reply: {line!r}"
            assert len(line) <= LONGEST_REPLY_LINE
            assert not INSIDE.search(line), f"this tells of our inside: {line!r}"
            lines.append(line)
            assert line[:3] == lines[0][:3], f"two replies in one: {lines!r}"
            if line[3:4] != b"-":
                return b"".join(lines)

    def ask(self, line: bytes) -> bytes:
        """Send a command; its reply."""
        self.send(line + b"\r\n")
        return self.reply()

    def code(self, line: bytes) -> int:
        """Send a command; the code of its reply, 0 where the server has hung up."""
        return int(self.ask(line)[:3] or b"0")

    def codes(self, *lines: bytes) -> list[int]:
        """Several commands, one after the other."""
        return [self.code(line) for line in lines]

    def rest(self) -> bytes:
        """All that the server still says until it hangs up."""
        said = b""
        while reply := self.reply():
            said += reply
        return said

    def begin(self, *recipients: bytes, sender: bytes = FROM) -> None:
        """Everything up to DATA, and its 354."""
        said = [sender, *(b"RCPT TO:<%s>" % one for one in recipients or (b"bob@client.example",)), b"DATA"]
        assert self.codes(*said)[-1] == 354
