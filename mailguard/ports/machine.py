"""What the use cases need of the machine that they run on: its clock, its log, and a word when it ails."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol


class Log(Protocol):
    """The operator's log: one line an event, no secrets, no bodies."""

    def event(self, name: str, /, **fields: object) -> None:
        """Something happened that an operator may look for."""

    def trouble(self, name: str, /, **fields: object) -> None:
        """Something went wrong that somebody should look at."""


class Watched(Protocol):
    """A part of the machine that can run out, break or jump; it tells the log itself when that changes."""

    async def look(self, next_due: datetime | None) -> None:
        """Look how it stands; called every few seconds. `next_due` is when the next message leaves."""

    def told(self) -> str | None:
        """What is wrong with it now, and what to do; None where all is well."""

    def refuses(self) -> bool:
        """Whether no mail is taken because of that."""


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def steady(self) -> AbstractContextManager[None]:
        """Held while a time is reckoned that is not in the store yet: no step is followed meanwhile."""

    def steady_since(self, tick: float) -> bool:
        """Whether it was held for nobody since the monotonic time `tick`, and is not now."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
