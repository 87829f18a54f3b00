"""Where the outgoing server is and how to talk to it."""

import ssl
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from mailguard.core.value import dataclass


class Tls(StrEnum):
    """When the connection is encrypted: after STARTTLS, from the first byte, or never."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamOptions:
    """`hostname` is our own name for EHLO; `ca_file` holds the certificates to trust instead of the system's
    (PEM). Certificates are always verified.

    At most `connections` are open at a time; one is left after `messages_per_connection`, or after `idle`
    without work. A server that is out is not asked again for `first_pause`, which grows to `longest_pause`.
    The timeouts are those of RFC 5321 section 4.5.3.2, where they do not delay everybody else.
    """

    host: str
    port: int
    hostname: str
    tls: Tls | str = Tls.STARTTLS
    ca_file: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 10
    messages_per_connection: int = 100
    idle: timedelta = timedelta(seconds=30)
    first_pause: timedelta = timedelta(seconds=5)
    longest_pause: timedelta = timedelta(seconds=30)
    connect_timeout: timedelta = timedelta(seconds=60)
    command_timeout: timedelta = timedelta(minutes=5)
    block_timeout: timedelta = timedelta(minutes=3)
    # Section 4.5.3.2.6 says ten minutes for the answer to the final dot: to give up sooner would send the
    # message twice.
    data_timeout: timedelta = timedelta(minutes=10)

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """What certificates are held against. Reads files: not for the event loop. Raises OSError."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
