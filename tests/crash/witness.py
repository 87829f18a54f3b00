"""The outgoing server of a crash test: it keeps every message that came with its final dot, and in which
life of the guard. What broke off before the dot never arrived.
"""

import contextlib
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.crash.ledger import Copy
from tests.serving import ThreadedServer, serving

# The recipient whose local part begins so is refused for good.
REFUSED = "refused"
_OWN = re.compile(rb"^Message-ID: <([^@>]+)@crash\.example>", re.MULTILINE)
_ANSWERED = re.compile(rb"^In-Reply-To: <([^@>]+)@crash\.example>", re.MULTILINE)


@dataclass
class Witness:
    """`port` is where it listens on 127.0.0.1. The test raises `life` between two lives of the guard; while
    `mute`, it takes the final dot and says nothing."""

    port: int = 0
    life: int = 1
    mute: bool = False
    copies: list[Copy] = field(default_factory=list)
    sessions: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self, key: str) -> bool:
        """Whether a message came, for anybody."""
        return any(copy.key == key for copy in list(self.copies))

    def await_quiet(self, timeout: float = 10) -> None:
        """Return when no session is open any more: all that a dead guard had written is read."""
        deadline = time.monotonic() + timeout
        while self.sessions:
            assert time.monotonic() < deadline, "sessions of a dead guard stay open"
            time.sleep(0.005)

    def keep(self, recipients: list[str], content: bytes) -> None:
        """Write down a message that arrived, once for each of its recipients."""
        own, answered = _OWN.search(content), _ANSWERED.search(content)
        found = answered or own
        key = found[1].decode() if found else "unknown"
        with self.lock:
            for recipient in recipients:
                copy = Copy(
                    key=key,
                    recipient=recipient,
                    life=self.life,
                    content=content,
                    report=answered is not None,
                )
                self.copies.append(copy)


@contextlib.contextmanager
def running() -> Iterator[Witness]:
    """A witness on a free port for as long as the context lasts."""
    witness = Witness()
    with serving(partial(_Session, witness), server=partial(_Server, witness)) as witness.port:
        yield witness


class _Server(ThreadedServer):
    def __init__(self, witness: Witness, *arguments: Any) -> None:
        self._witness = witness
        super().__init__(*arguments)

    def process_request(self, request: object, client_address: object) -> None:
        # Counted here, so that a session is seen as open before its thread has begun.
        with self._witness.lock:
            self._witness.sessions += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        super().shutdown_request(request)  # type: ignore[arg-type]
        with self._witness.lock:
            self._witness.sessions -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """A guard that is killed resets its connections: that is what is tested."""


class _Session(socketserver.StreamRequestHandler):
    def __init__(self, witness: Witness, *connection: Any) -> None:
        self._witness = witness
        super().__init__(*connection)

    def handle(self) -> None:
        recipients: list[str] = []
        self.wfile.write(b"220 witness.test ESMTP\r\n")
        while line := self.rfile.readline():
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    self.wfile.write(b"250-witness.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                case "MAIL":
                    recipients = []
                    self._ok()
                case "RCPT":
                    self._recipient(argument, recipients)
                case "DATA":
                    if not self._data(recipients):
                        return
                case "QUIT":
                    self.wfile.write(b"221 2.0.0 Bye\r\n")
                    return
                case _:
                    self._ok()

    def _ok(self) -> None:
        self.wfile.write(b"250 2.0.0 Ok\r\n")

    def _recipient(self, argument: str, recipients: list[str]) -> None:
        path = argument.partition("<")[2].partition(">")[0]
        if path.startswith(REFUSED):
            self.wfile.write(b"550 5.1.1 No such person\r\n")
            return
        recipients.append(path)
        self._ok()

    def _data(self, recipients: list[str]) -> bool:
        """False where the session is over."""
        self.wfile.write(b"354 Go on\r\n" if recipients else b"554 5.5.1 No valid recipients\r\n")
        if not recipients:
            return True
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        self._witness.keep(recipients, b"".join(lines))
        if self._witness.mute:
            # Until the guard is dead, or tired of waiting.
            self.rfile.read()
            return False
        self._ok()
        return True
