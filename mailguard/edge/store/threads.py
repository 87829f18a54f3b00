"""ports.Memory over whichever database keeps it: what of a mail is learnt, and how much of it.

Of a message only a digest of its Message-ID is kept, of a person the address.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

from mailguard.core.facts import Thread
from mailguard.core.value import dataclass
from mailguard.edge.store.text import storable

# A header can name thousands of messages; the first of a thread and the newest tell enough.
MOST_IDS = 100
# Per message and per thread: what comes on top is not learnt, so that no look-up is ever long.
MOST_PARTICIPANTS = 5000


@dataclass(frozen=True, slots=True)
class Lesson:
    """These messages are one thread, and these people take part in it."""

    digests: Sequence[int]
    people: Sequence[str]


class Threads:
    """What was learnt from mail that really left: `participants` finds the people of some messages in the
    database, `learn` and `erase` write to it."""

    def __init__(
        self,
        participants: Callable[[Sequence[int]], Awaitable[frozenset[str]]],
        learn: Callable[[Lesson], Awaitable[None]],
        erase: Callable[[str], Awaitable[None]],
    ) -> None:
        self._participants = participants
        self._learn = learn
        self._erase = erase

    async def thread(self, message_ids: Sequence[str]) -> Thread:
        """Who took part in the threads that these ids lead to. Raises StoreError."""
        digests = _digests_of(message_ids)
        return Thread(participants=await self._participants(digests)) if digests else Thread()

    async def learn(self, message_id: str, answers: Sequence[str], participants: Sequence[str]) -> None:
        """A message left: join the threads of the ids it answers, and take in its people (normal forms).
        Raises StoreError."""
        digests = _digests_of((*answers, message_id))
        people = [storable(one) for one in participants[:MOST_PARTICIPANTS] if one]
        if digests:
            await self._learn(Lesson(digests, people))

    async def erase(self, address: str) -> None:
        """Take a person (normal form) out of every thread. Raises StoreError."""
        await self._erase(storable(address))


def _digests_of(message_ids: Sequence[str]) -> list[int]:
    named = list(dict.fromkeys(one for one in message_ids if one))
    if len(named) > MOST_IDS:
        named = [named[0], *named[-(MOST_IDS - 1) :]]
    return [_digest(one) for one in named]


def _digest(message_id: str) -> int:
    digest = hashlib.blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
