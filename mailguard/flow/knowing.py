"""What is remembered that bears on a message, asked once before it is judged."""

from collections.abc import Sequence
from typing import Protocol

from mailguard.core.facts import Thread
from mailguard.core.recall.letter import Letter
from mailguard.core.recollection import NOTHING, Recollection
from mailguard.core.value import dataclass
from mailguard.ports import Log
from mailguard.ports.recall import Recalls


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The ids that lead to the thread it answers (none: it is no answer); the message as the memory reads it
    (None: the memory is not asked) of this `person`, who may send as `own`, and with which he invites
    somebody; and where it comes from."""

    thread: tuple[str, ...]
    letter: Letter | None
    person: str
    own: tuple[str, ...]
    invited: tuple[str, ...]
    peer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Who took part in the thread, and what the memory knows."""

    thread: Thread
    recollection: Recollection


NOTHING_KNOWN = Known(thread=Thread(), recollection=NOTHING)


class Threads(Protocol):
    """All that is asked about threads."""

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        """Who took part in the threads that these ids lead to. Raises StoreError."""


class Knowing:
    """The memory of threads, and the judge's, where there is one."""

    def __init__(self, *, threads: Threads, recalling: Recalls | None, log: Log) -> None:
        self._threads = threads
        self._recalling = recalling
        self._log = log

    @property
    def on(self) -> bool:
        """Whether anything but threads is remembered."""
        return self._recalling is not None and self._recalling.on

    async def know(self, question: Question) -> Known:
        """What is known. Raises StoreError."""
        thread = await self._threads.thread(question.thread) if question.thread else NOTHING_KNOWN.thread
        return Known(thread=thread, recollection=await self._recollected(question))

    async def _recollected(self, question: Question) -> Recollection:
        """What the memory knows; nothing where it fails: no message may ever depend on it."""
        if self._recalling is None or question.letter is None:
            return NOTHING
        try:
            return await self._recalling.recollect(
                question.letter, question.person, question.own, question.invited
            )
        except Exception as error:  # noqa: BLE001  whatever it was, the message is judged without it
            self._log.trouble("recollection_fault", peer=question.peer, fault=type(error).__name__)
            return NOTHING
