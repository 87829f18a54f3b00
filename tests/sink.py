"""An SMTP server that takes everything and remembers it byte for byte: the upstream of client tests."""

import contextlib
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.serving import serving

OFFERS = (b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"DSN", b"ENHANCEDSTATUSCODES", b"SIZE 52428800")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One transaction: the arguments of MAIL and RCPT as they came, and the dot-unstuffed bytes."""

    mail: str
    rcpt: tuple[str, ...]
    content: bytes

    @property
    def sender(self) -> str:
        """The reverse path, without its parameters."""
        return _path(self.mail)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The forward paths, without their parameters."""
        return tuple(map(_path, self.rcpt))


@dataclass
class Sink:
    """What arrived so far; `port` is where it listens on 127.0.0.1, `connections` how many there were, and
    `most_open` how many at the same time."""

    port: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    connections: int = 0
    most_open: int = 0
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """One connection, as long as the context lasts."""
        with self._lock:
            self.connections += 1
            self._open += 1
            self.most_open = max(self.most_open, self._open)
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1

    def wait(self, wanted: Callable[[Delivery], bool], timeout: float = 15) -> Delivery:
        """The first delivery that fits, as soon as it is there."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for delivery in list(self.deliveries):
                if wanted(delivery):
                    return delivery
            time.sleep(0.02)
        raise AssertionError(
            f"nothing of the kind arrived within {timeout} s; {len(self.deliveries)} others did"
        )


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[Sink]:
    """A sink on this port, or on a free one, for as long as the context lasts."""
    sink = Sink()
    with serving(partial(_Session, sink), port=port) as sink.port:
        yield sink


class _Session(socketserver.StreamRequestHandler):
    def __init__(self, sink: Sink, *connection: Any) -> None:
        self._sink = sink
        super().__init__(*connection)

    def handle(self) -> None:
        with self._sink.counted():
            self._serve()

    def _serve(self) -> None:
        mail = ""
        rcpt: list[str] = []
        self.wfile.write(b"220 sink.test ESMTP\r\n")
        while line := self.rfile.readline():
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    lines = [b"sink.test", *OFFERS]
                    marks = [b"-"] * len(OFFERS) + [b" "]
                    self.wfile.write(
                        b"".join(b"250%b%b\r\n" % pair for pair in zip(marks, lines, strict=True))
                    )
                    continue
                case "MAIL":
                    mail, rcpt = argument, []
                case "RCPT":
                    rcpt.append(argument)
                case "DATA":
                    self.wfile.write(b"354 Go on\r\n")
                    content = self._content()
                    self._sink.deliveries.append(Delivery(mail=mail, rcpt=tuple(rcpt), content=content))
                case "QUIT":
                    self.wfile.write(b"221 2.0.0 Bye\r\n")
                    return
            self.wfile.write(b"250 2.0.0 Ok\r\n")

    def _content(self) -> bytes:
        """Everything up to the lone dot, with the stuffed dots taken out (RFC 5321 section 4.5.2)."""
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


def _path(argument: str) -> str:
    return argument.partition("<")[2].partition(">")[0]
