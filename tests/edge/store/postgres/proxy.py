"""Stands between a guard and the database, and cuts a connection at the worst moment."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_COMMIT = b"COMMIT\0"


@dataclass
class Proxy:
    """`cut_at` tells when to cut the next connection that commits; while it is `closed`, all are refused."""

    COMMIT: ClassVar[str] = "commit"
    ANSWER: ClassVar[str] = "answer"

    url: str
    target: str
    listener: socket.socket
    cut_at: str = ""
    closed: bool = False
    cuts: int = 0
    open: list[socket.socket] = field(default_factory=list)

    def serve(self) -> None:
        """Until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.closed:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            self.open += [client, server]
            cutting = threading.Event()
            for work in (self._ask, self._answer):
                threading.Thread(target=work, args=(client, server, cutting), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, cutting: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.cut_at and _COMMIT in data:
                    self.cuts += 1
                    when, self.cut_at = self.cut_at, ""
                    if when == self.COMMIT:
                        break
                    cutting.set()
                server.sendall(data)
        self._cut(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, cutting: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while (data := server.recv(65536)) and not cutting.is_set():
                client.sendall(data)
        self._cut(client, server)

    @staticmethod
    def _cut(*ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def between(url: str) -> Iterator[Proxy]:
    """A proxy to this database; its `url` leads there."""
    parts = conninfo_to_dict(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        through = make_conninfo(url, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        proxy = Proxy(url=through, target=f"{parts['host']}/.s.PGSQL.{parts['port']}", listener=listener)
        thread = threading.Thread(target=proxy.serve)
        thread.start()
        try:
            yield proxy
        finally:
            # A socket that somebody accepts on is woken by its end alone.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for end in proxy.open:
                end.close()
