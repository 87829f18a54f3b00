"""Opens the ports, keeps the TLS certificate fresh, counts the open files, and closes the ports again.

What speaks on a port is made by the factory that comes with it; this module knows no protocol.
"""

import asyncio
import contextlib
import os
import resource
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.value import dataclass
from mailguard.ports import Log

# Connections that the kernel keeps while we are busy.
BACKLOG = 1024

# Files that the guard needs besides its clients': the store, the outgoing server, the command line.
SPARE_FILES = 48
UNLIMITED = 1 << 20
OPEN_FILES = Path("/proc/self/fd")

Factory = Callable[[], asyncio.BaseProtocol]


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """One place to listen: `address` is `host:port` or `[ipv6]:port`; port 0 takes any that is free."""

    address: str
    factory: Factory


class Listeners:
    """Open ports."""

    def __init__(self, servers: Sequence[asyncio.Server]) -> None:
        self._servers = tuple(servers)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where they really listen, with the real port numbers, in the order they were asked for."""
        names = (server.sockets[0].getsockname() for server in self._servers if server.sockets)
        return tuple(written(str(name[0]), int(name[1])) for name in names)

    def close(self) -> None:
        """Take no new connections; those that are open are not touched."""
        for server in self._servers:
            server.close()


async def listen(ports: Sequence[Port]) -> Listeners:
    """Open all of these ports, or none. Raises ConfigurationError: which cannot be opened, and why."""
    loop = asyncio.get_running_loop()
    servers: list[asyncio.Server] = []
    faults: list[Fault] = []
    for port in ports:
        try:
            host, number = split(port.address)
            servers.append(await loop.create_server(port.factory, host, number, backlog=BACKLOG))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            faults.append(
                _fault(port.address, f"cannot listen there: {reason}", "a free host:port of this machine")
            )
    if faults:
        for server in servers:
            server.close()
        raise ConfigurationError(tuple(faults))
    return Listeners(servers)


def split(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[ipv6]:port`. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("there is no port number")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address needs brackets")
    if not host:
        raise ValueError("there is no host")
    return host, int(port)


def written(host: str, port: int) -> str:
    """`host:port`, as `split` reads it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class OpenFiles:
    """How many files and connections the process may have open; all that the system allows are asked for.

    A connection too many is closed by the event loop before anybody could answer it, and without a word; so
    the sessions are fewer than the files (`connections`), and the log is told here where it happens still.
    """

    def __init__(self, log: Log) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        # A service manager may have forbidden it.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._log = log
        self._short = False

    @property
    def limit(self) -> int:
        """How many the system allows now."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return soft if soft != resource.RLIM_INFINITY else UNLIMITED

    def connections(self, wanted: int) -> int:
        """As many of the wanted sessions as there are files for."""
        possible = max(1, self.limit - SPARE_FILES)
        if wanted > possible:
            self._log.trouble("fewer_connections", wanted=wanted, possible=possible, open_files=self.limit)
        return min(wanted, possible)

    async def look(self, next_due: datetime | None) -> None:
        """Tell the log when hardly a file can be opened any more, and when it is over."""
        try:
            # Listing them opens one more.
            count = len(await asyncio.to_thread(os.listdir, OPEN_FILES)) - 1
        except FileNotFoundError:
            # A system without this list.
            return
        except OSError:
            count = self.limit
        short = count >= self.limit - SPARE_FILES // 4
        if short and not self._short:
            self._log.trouble("open_files_exhausted", open=count, limit=self.limit)
        elif self._short and not short:
            self._log.event("open_files_enough", open=count, limit=self.limit)
        self._short = short

    def told(self) -> str | None:
        """Why clients are turned away, and what to do; None where they are not."""
        if not self._short:
            return None
        return (
            f"of {self.limit} files hardly one can be opened: clients are turned away; lower max_connections,"
            " or raise LimitNOFILE of the service (ulimit -n)"
        )

    def refuses(self) -> bool:
        """Whether clients are turned away."""
        return self._short


class Certificates:
    """The TLS certificate and key from PEM files; a changed file counts from the next handshake on.

    Files that do not go together, half-written ones for example, change nothing: the last good pair stays
    in use, and the log and `fault` tell why.
    """

    def __init__(self, *, cert: Path, key: Path, log: Log) -> None:
        """Read both files. Raises ConfigurationError where they cannot be used."""
        self._cert = cert
        self._key = key
        self._log = log
        self._seen = self._state()
        self.fault: Fault | None = None
        try:
            self._context = self._load()
        except (OSError, ValueError) as error:
            raise ConfigurationError((self._explain(error),)) from None

    def context(self) -> ssl.SSLContext:
        """The context for one more handshake: TLS 1.2 or newer."""
        state = self._state()
        if state != self._seen:
            self._seen = state
            try:
                self._context = self._load()
            except (OSError, ValueError) as error:
                self.fault = self._explain(error)
                self._log.trouble("tls_certificate_kept", reason=str(self.fault))
            else:
                self.fault = None
                self._log.event("tls_certificate_read", file=str(self._cert))
        return self._context

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Without a password callback, OpenSSL would ask on the terminal and stop the whole program.
        context.load_cert_chain(self._cert, self._key, password=_no_password)
        return context

    def _state(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_fingerprint(path) for path in (self._cert, self._key))

    def _explain(self, error: Exception) -> Fault:
        for key, path in (("tls_cert", self._cert), ("tls_key", self._key)):
            try:
                with path.open("rb"):
                    pass
            except OSError as missing:
                return _fault(str(path), f"cannot be read: {missing.strerror}", "a PEM file", key)
        reason = getattr(error, "reason", None) or str(error)
        files = f"{self._cert} and {self._key}"
        return _fault(files, f"cannot be used: {reason}", "a PEM certificate chain and its key", "tls_cert")


def _no_password() -> str:
    raise ValueError("the key is encrypted; mailguard needs one without a pass phrase")


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size
    return None


def _fault(file: str, problem: str, expected: str, key: str = "listen") -> Fault:
    return Fault(file=file, line=None, key=key, problem=problem, expected=expected)
