"""What one of the two processes has, as the other one sees it: the records, the threads, and the memory."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mailguard.app.calling import Calls
from mailguard.app.crossing import About, Seen
from mailguard.core.errors import StoreError
from mailguard.core.facts import Thread
from mailguard.core.hold import HeldMessage
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.core.recollection import Recollection
from mailguard.edge.channel import Channel
from mailguard.flow.knowing import Threads
from mailguard.ports import Entry, Policies, Records
from mailguard.ports.recall import Recalls

RECORDS, THREADS, RECALLS = Calls(Records), Calls(Threads), Calls(Recalls)


class FarRecords:
    """ports.Records, and flow.knowing.Threads: the store is in the other process."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        """Who took part in the threads that these ids lead to."""
        found: Thread = await THREADS.ask(self._channel, About.THREADS, "thread", message_ids)
        return found

    async def append(self, entries: Sequence[Entry], *, source: str = "", place: str = "") -> Sequence[int]:
        """Add those that are new."""
        numbers: Sequence[int] = await self._ask("append", entries, source, place)
        return numbers

    async def latest(self) -> int:
        """The greatest number in the log."""
        return int(await self._ask("latest"))

    async def read(self, after: tuple[int, int], upto: int, limit: int) -> Sequence[Entry]:
        """The next entries by their time."""
        entries: Sequence[Entry] = await self._ask("read", after, upto, limit)
        return entries

    async def since(self, number: int, limit: int) -> Sequence[Entry]:
        """The next entries in the order in which they came."""
        entries: Sequence[Entry] = await self._ask("since", number, limit)
        return entries

    async def erased(self) -> int:
        """Another number after somebody was erased."""
        return int(await self._ask("erased"))

    async def place(self, source: str) -> str | None:
        """How far the reader of a source got."""
        place: str | None = await self._ask("place", source)
        return place

    async def all_read(self, sources: Collection[str]) -> None:
        """The readers of these sources have come to the end."""
        await self._ask("all_read", sources)

    async def forget(self, before: int) -> int:
        """Remove what is older."""
        return int(await self._ask("forget", before))

    async def erase(self, address: str) -> int:
        """Take a person out of everything that is recorded."""
        return int(await self._ask("erase", address))

    async def add_meant(self, person: str, reasons: Collection[tuple[str, str]]) -> None:
        """A person said yes."""
        await self._ask("add_meant", person, reasons)

    async def meant(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """All that was said yes to."""
        meant: Mapping[str, frozenset[tuple[str, str]]] = await self._ask("meant")
        return meant

    async def _ask(self, name: str, *arguments: object) -> Any:
        return await RECORDS.ask(self._channel, About.RECORDS, name, *arguments)


class FarRecalling:
    """ports.recall.Remembers: the memory is in the process that judges, which also keeps it going. `seen`
    tells how it was at the last look."""

    def __init__(self, channel: Callable[[], Channel], policies: Policies, seen: Callable[[], Seen]) -> None:
        self._channel = channel
        self._policies = policies
        self._seen = seen

    @property
    def on(self) -> bool:
        """Whether anything is to be remembered at all."""
        return bool(self._policies.current.remember)

    def status(self) -> dict[str, object]:
        """For `mailguard status`."""
        seen = self._seen()
        return {"on": self.on, "ready": seen.ready, "mails": seen.mails}

    async def recollect(
        self, letter: Letter, person: str, own: Collection[str], invited: Collection[str]
    ) -> Recollection:
        """What is known that bears on a message."""
        found: Recollection = await self._ask("recollect", letter, person, own, invited)
        return found

    async def observe(self, letter: Letter) -> bool:
        """A mail really left, or came in; whether it was new."""
        return bool(await self._ask("observe", letter))

    async def meant(self, message: HeldMessage) -> None:
        """Its sender said yes to a message."""
        # As there: no decision fails because of it; the guard is about to end, and says so.
        with contextlib.suppress(StoreError):
            await self._ask("meant", message)

    async def learn(self, observations: Sequence[Observation], source: str, place: str) -> int:
        """Mails of a mailbox."""
        return int(await self._ask("learn", observations, source, place))

    async def begun(self, source: str) -> str | None:
        """How far an earlier reading of a mailbox got."""
        place: str | None = await self._ask("begun", source)
        return place

    async def erase(self, who: str) -> int:
        """Take a person out of all that is remembered."""
        return int(await self._ask("erase", who))

    async def settle(self, sources: Collection[str]) -> None:
        """All that was to be learnt from these mailboxes has come."""
        await self._ask("settle", sources)

    async def run(self) -> None:
        """Nothing, until cancelled: the other process does it."""
        await asyncio.Event().wait()

    async def make(self) -> None:
        """Nothing: the other process does it."""

    async def _ask(self, name: str, *arguments: object) -> Any:
        return await RECALLS.ask(self._channel(), About.RECALLS, name, *arguments)
