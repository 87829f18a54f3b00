"""What one claim takes in hand, in every store: so many messages, and no more bytes than the memory bears."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from mailguard.core import moves
from mailguard.core.errors import IllegalMove
from mailguard.core.events import GUARD
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.value import dataclass
from mailguard.ports import Log

# What one claim may bring into memory, and has to read before anybody else has a turn; the last message may
# make it more.
CLAIM_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class Taking:
    """At most `limit` messages that are due at `now`. What cannot be claimed is told to the operator, and is
    not in the way of the rest; `taken` are number, step and bytes of the others."""

    now: datetime
    limit: int
    log: Log
    taken: list[tuple[int, Change, bytes]] = field(default_factory=list)
    room: int = field(default_factory=lambda: CLAIM_BYTES)

    @property
    def wanted(self) -> int:
        """How many more."""
        return self.limit - len(self.taken) if self.room > 0 else 0

    def fitting(self, rows: Iterable[Sequence[Any]], size: int) -> list[Sequence[Any]]:
        """The first of these rows, whose bytes may be read; `size` is the place in a row where it stands."""
        some = []
        for row in rows:
            if self.room <= 0:
                break
            some.append(row)
            self.room -= row[size]
        return some

    def take(self, number: int, message: HeldMessage, content: bytes | None) -> None:
        """Claim one of them (moves.claim)."""
        if content is None:
            self.log.trouble("body_missing", id=message.id)
            return
        try:
            change = moves.claim(message, by=GUARD, now=self.now)
        except IllegalMove as error:
            self.log.trouble("unreadable_message", id=message.id, fault=str(error))
            return
        if change is not None:
            self.taken.append((number, change, content))
