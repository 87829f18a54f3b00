"""Tells systemd how the guard is doing (sd_notify): `systemctl start` returns when mail can come in."""

import contextlib
import socket

READY = "READY=1"
RELOADING = "RELOADING=1"
STOPPING = "STOPPING=1"


def notify(address: str | None, *assignments: str) -> None:
    """Send assignments such as READY or `STATUS=...` to the socket that NOTIFY_SOCKET names, in one datagram.

    Does nothing without an address, and nothing can go wrong: a supervisor that does not listen must
    neither stop nor delay the guard. Source: sd_notify(3).
    """
    if not address:
        return
    # sd_notify(3): a leading @ stands for the null byte of Linux's abstract namespace.
    target = "\0" + address[1:] if address.startswith("@") else address
    # A line break would begin another assignment.
    lines = "\n".join(" ".join(assignment.splitlines()) for assignment in assignments)
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(lines.encode("utf-8", "replace"), target)
