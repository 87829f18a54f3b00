"""A small server of a test: a thread for each of its sessions, for as long as a context lasts."""

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator


class ThreadedServer(socketserver.ThreadingTCPServer):
    """Any number of sessions at once, none of which keeps the test from ending."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 100
    server_address: tuple[str, int]


@contextlib.contextmanager
def serving(
    session: Callable[..., socketserver.BaseRequestHandler],
    *,
    port: int = 0,
    server: Callable[..., ThreadedServer] = ThreadedServer,
) -> Iterator[int]:
    """Serve on 127.0.0.1; yields the port, a free one unless one is given."""
    with server(("127.0.0.1", port), session) as started:
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield started.server_address[1]
        finally:
            started.shutdown()
            thread.join()
