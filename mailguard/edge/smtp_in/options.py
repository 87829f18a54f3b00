"""What the SMTP edge may be told: its name, whom it trusts, and how much it takes."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from mailguard.core.smtp_syntax import LONGEST_HOLD
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpOptions:
    """Sizes are in bytes (octets of the message, RFC 1870).

    `trusted_networks` may submit without AUTH; nobody else may. `bare_newline` is what a lone CR or LF
    inside a message gets. `auth_without_tls` lets anybody log in on a connection without TLS; otherwise
    only a client on this machine may, and only while no certificate is configured.
    """

    hostname: str
    trusted_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    max_message_bytes: int = 26214400
    max_recipients: int = 200
    max_connections: int = 500
    max_connections_per_ip: int = 50
    bare_newline: Literal["refuse", "normalize"] = "refuse"
    auth_without_tls: bool = False

    # RFC 5321 section 4.5.3.2.7: at least five minutes.
    idle_timeout: timedelta = timedelta(minutes=5)
    # However busy: nobody stays for ever, but for a message that is still coming in.
    session_timeout: timedelta = timedelta(hours=2)
    # Bytes a second, on average over every `idle_timeout` of an upload.
    slowest_upload: int = 200
    # Where all places are taken, who has not logged in by then makes room for somebody new.
    crowded_timeout: timedelta = timedelta(seconds=10)
    # Messages that are being received or stored, all connections together (budget.py).
    max_bytes_in_flight: int = 256 * 1024 * 1024
    # A client waits for the answer to a block of its message for three minutes (RFC 5321 section 4.5.3.2.5).
    longest_wait: timedelta = timedelta(minutes=2)
    tls_handshake_timeout: timedelta = timedelta(seconds=20)
    tls_shutdown_timeout: timedelta = timedelta(seconds=5)

    # The first wrong password costs this long, each further one twice as long as the one before.
    auth_delay: timedelta = timedelta(seconds=1)
    max_auth_failures: int = 3
    # Wrong passwords from one address, within `auth_memory`, before it is not listened to any more.
    max_auth_failures_per_ip: int = 20
    # Wrong passwords for one login, from all addresses, before an address that is new to it has one try only.
    max_auth_failures_per_login: int = 100
    auth_memory: timedelta = timedelta(minutes=10)

    # Refused commands, and commands that do nothing (NOOP, RSET, VRFY, ...), between two messages.
    max_errors: int = 50
    max_idle_commands: int = 1000

    longest_hold: timedelta = LONGEST_HOLD
