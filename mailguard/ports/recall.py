"""The judge's memory, as the use cases see it; it may be in another process (docs/decisions/0010)."""

from collections.abc import Collection, Sequence
from typing import Protocol

from mailguard.core.hold import HeldMessage
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.core.recollection import Recollection


class Recalls(Protocol):
    """flow.recalling.Recalling has more about each. Any method but `meant` may raise StoreError."""

    @property
    def on(self) -> bool:
        """Whether anything is to be remembered at all."""

    async def recollect(
        self, letter: Letter, person: str, own: Collection[str], invited: Collection[str]
    ) -> Recollection:
        """What is known that bears on a message."""

    async def observe(self, letter: Letter) -> bool:
        """A mail really left, or came in; whether it was new."""

    async def meant(self, message: HeldMessage) -> None:
        """Its sender said yes to a message, and so to what was found about its recipients."""

    async def learn(self, observations: Sequence[Observation], source: str, place: str) -> int:
        """Mails of a mailbox, up to this `place` in it; how many were new."""

    async def begun(self, source: str) -> str | None:
        """How far an earlier reading of a mailbox got; None where there was none."""

    async def erase(self, who: str) -> int:
        """Take a person out of all that is remembered; how many mails had him."""

    async def settle(self, sources: Collection[str]) -> None:
        """All that was to be learnt from these mailboxes has come."""


class Remembers(Recalls, Protocol):
    """The same with what keeps it going."""

    def status(self) -> dict[str, object]:
        """For `mailguard status`."""

    async def run(self) -> None:
        """Until cancelled."""

    async def make(self) -> None:
        """Make it from the log, now."""
