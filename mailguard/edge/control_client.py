"""The command line's end of the control socket; plain blocking sockets, because it must start fast."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from mailguard.core.errors import MailguardError

Json = dict[str, object]

# The socket's name in the state directory.
SOCKET = "control.sock"

# Longer than the guard waits for an attempt that is under way, and for a slow disk.
ANSWER_WITHIN = 60.0


class NotRunning(MailguardError):
    """No guard answers on the control socket."""


class CutOff(MailguardError):
    """The guard went away before it answered; whether it did what was asked is unknown."""


def ask(path: Path, request: Mapping[str, object]) -> Json:
    """One question, one answer. Raises NotRunning where nobody listens, CutOff where no answer came,
    PermissionError where the socket belongs to somebody else."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
        talk.settimeout(ANSWER_WITHIN)
        try:
            talk.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(f"no guard listens on {path}") from error
        try:
            talk.sendall(json.dumps(request).encode() + b"\n")
            line = _line(talk)
        except (TimeoutError, ConnectionError) as error:
            raise CutOff("the guard did not answer; ask again to see what is true") from error
    if not line.endswith(b"\n"):
        raise CutOff("the guard stopped before it answered; ask again to see what is true")
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise CutOff("the guard's answer makes no sense; is it another version?")
    return answer


def _line(talk: socket.socket) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = talk.recv(1 << 16)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)
