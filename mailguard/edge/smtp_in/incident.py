"""A fault of ours while a client waits: the log learns where it is, the client only a number to ask for."""

import secrets
import traceback
from pathlib import PurePath

from mailguard.core.reply import Reply
from mailguard.ports import Log

# The newest frames of a fault's way through the program that are logged.
FRAMES = 6


def incident(log: Log, error: Exception, peer: str) -> Reply:
    """What the client is told (RFC 5321: 451)."""
    number = secrets.token_hex(4)
    # The text of an unknown exception may quote a password or a message; the system's own does not.
    reason = error.strerror if isinstance(error, OSError) else None
    log.trouble(
        "smtp_fault",
        incident=number,
        peer=peer,
        error=type(error).__name__,
        reason=reason,
        where=place(error),
    )
    return Reply(code=451, status="4.3.0", text=f"Internal error, try again later (incident {number})")


def place(error: Exception) -> str:
    """The last steps of its way through the program; its text may quote a password or a message."""
    frames = [
        f"{PurePath(frame.f_code.co_filename).name}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return " > ".join(frames[-FRAMES:])
