"""What the use cases need of those outside whom they tell what happens, and of people's own mailboxes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.news import Backlog, Dispatch, Pending


class Announcer(Protocol):
    """What the store asks at every change: what of it is to be told outside. It is written down with it."""

    def news(self, message: HeldMessage, event: Event) -> Sequence[Dispatch]:
        """What is to be told of this event, which left the message as it is given. Never raises."""

    def written(self) -> None:
        """News is on the disk now, ready to be sent."""


class Outbox(Protocol):
    """News that is to be told outside, kept until it is told. Any method may raise StoreError."""

    async def put(self, dispatches: Sequence[Dispatch]) -> None:
        """Add news that belongs to no change of a message. What is there already (id and target) stays."""

    async def begin(self, targets: Collection[str], now: datetime) -> int:
        """A guard starts: news for other targets is dropped, and how much that was is told; all that waits is
        due now."""

    async def take(self, target: str, now: datetime, until: datetime, limit: int) -> Sequence[Pending]:
        """What is due for a target, oldest first. It is put off `until` then, in case nobody ever says how it
        went: another guard on the same store does not send it meanwhile."""

    async def done(self, number: int) -> None:
        """It was told."""

    async def failed(self, number: int, fault: str, again: datetime | None) -> None:
        """It was not told, and why; to be tried `again`, or given up."""

    async def next_due(self, target: str) -> datetime | None:
        """When something for this target is to be sent; None where nothing waits."""

    async def backlog(self, target: str) -> Backlog:
        """How it stands with a target."""

    async def forget(self, before: datetime) -> int:
        """Remove what was given up and is older; how much that was."""


class Notifier(Protocol):
    """The way to one target outside: a web service, a chat room, a desktop."""

    async def tell(self, dispatch: Dispatch) -> None:
        """Tell it, within a time that is bounded. Raises NotTold."""

    async def close(self) -> None:
        """Let its connections go."""


class Drafts(Protocol):
    """The folder of drafts in a person's own mailbox."""

    async def put(self, login: str, content: bytes) -> str:
        """Put a draft there, within a time that is bounded; the folder's name. Raises NotPlaced."""
