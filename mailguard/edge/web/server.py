"""The HTTP server: uvicorn inside of our own loop, with our own signals, and bounds for the idle."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.edge.web.parts import Network, WebOptions

BACKLOG = 1024


def listening(host: str, port: int) -> socket.socket:
    """An open port. Raises ConfigurationError: why it cannot be opened."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        problem = f"cannot serve the page there: {error.strerror}"
        expected = 'a free host:port of this machine, or "off" for no page'
        fault = Fault(file=where, line=None, key="web.listen", problem=problem, expected=expected)
        raise ConfigurationError((fault,)) from None
    return made


def _spelled(networks: Iterable[Network]) -> Iterator[str]:
    """Networks as uvicorn compares them: on a port of IPv6, a client of IPv4 is called ::ffff:192.0.2.1
    (RFC 4291 section 2.5.5.2)."""
    for network in networks:
        yield str(network)
        if network.version == 4:
            yield f"::ffff:{network.network_address}/{96 + network.prefixlen}"


class _Connection(H11Protocol):
    """One client. It has a while to say a whole request's head; and where all places are taken, whoever
    waits for nothing, or does not get done with asking, makes room for somebody new."""

    most = 1000
    slowest = 20.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.slowest, self._too_slow)
        if len(self.connections) > self.most:
            others = [one for one in self.connections if one is not self]
            ready = (one for most in (_idle, _still_asking) for one in others if most(one))
            next(ready, self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._deadline.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._deadline.cancel()
        if not self.transport.is_closing():
            # Of the next request, too, the head has to come in one go; the wait for it is keep-alive's.
            self._deadline = self.loop.call_later(self.slowest + self.timeout_keep_alive, self._too_slow)

    def _too_slow(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def _idle(connection: Any) -> bool:
    cycle = getattr(connection, "cycle", None)
    return cycle is None or bool(cycle.response_complete)


def _still_asking(connection: Any) -> bool:
    """Whether its request is not here yet as a whole: a body in drips takes no place from those who come."""
    return bool(connection.cycle.more_body)


class _Server(uvicorn.Server):
    """uvicorn, without its own idea of signals, and without waking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        while not self._stopping.is_set():
            # Once a second, for the header Date.
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()


class WebServer:
    """Serves `app` on an open port until closed."""

    def __init__(self, app: ASGIApp, port: socket.socket, options: WebOptions) -> None:
        kind = type(
            "Connection",
            (_Connection,),
            {"most": options.max_connections, "slowest": options.slowest_request},
        )
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                http=kind,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=[*_spelled(options.trusted_proxies)],
                timeout_keep_alive=options.keep_alive,
                timeout_graceful_shutdown=options.grace,
            )
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to answer."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._port]), name="web")

    async def close(self) -> None:
        """Take no more requests; those under way have a moment to come to their end."""
        if self._task is None:
            self._port.close()
            return
        self._server.stop()
        await asyncio.gather(self._task, return_exceptions=True)
