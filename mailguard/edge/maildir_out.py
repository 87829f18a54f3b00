"""An outgoing server that is a folder (a Maildir), for trying the guard out: nothing leaves the machine."""

import asyncio
import contextlib
import itertools
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from mailguard.core import charset
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Claimed


class MaildirRelay:
    """ports.Relay: each message becomes one file in `path`/new, as the bytes that would have left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: Iterator[int] = itertools.count()
        self._fault: str | None = None

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Write it for all in-flight recipients at once, synced; a full or missing disk means later."""
        ambiguous = False
        name = (
            f"{int(time.time())}.{claimed.message.id}_{next(self._numbers)}_{secrets.token_hex(4)}.mailguard"
        )
        try:
            await asyncio.to_thread(_deliver, self._path, name, content)
        except OSError as error:
            self._fault = f"{self._path}: {error.strerror or error}"
            answer, reply = Answer.LATER, f"4.3.0 Cannot write to {self._fault}"
            # It stands in its place but may not survive a loss of power; the next attempt writes a second.
            ambiguous = (self._path / "new" / name).exists()
        else:
            self._fault = None
            answer, reply = Answer.TAKEN, f"250 2.0.0 Written to new/{name}"
        shown = charset.clean(reply)
        return [
            Outcome(address=recipient.address, answer=answer, reply=shown, ambiguous=ambiguous)
            for recipient in claimed.message.recipients
            if recipient.in_flight
        ]

    async def look(self, next_due: datetime | None) -> None:
        """Nothing: it is written to when there is something to send."""

    def told(self) -> str | None:
        """Why nothing leaves; None where it does."""
        if self._fault is None:
            return None
        return (
            f"mail that is due cannot be written to {self._fault}; make room there, and let mailguard write"
        )

    def refuses(self) -> bool:
        """Never: what comes in waits."""
        return False

    async def close(self) -> None:
        """Nothing stays open."""


def _deliver(path: Path, name: str, content: bytes) -> None:
    """Write into tmp, sync, move to new, and sync that too: afterwards it survives a loss of power."""
    if not (path / "new").is_dir():
        for part in ("tmp", "cur", "new"):
            (path / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(path)
    draft = path / "tmp" / name
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path / "new" / name)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    _sync(path / "new")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
