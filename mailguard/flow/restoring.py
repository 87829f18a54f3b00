"""The first start after the store was put back to a backup: nothing of it leaves by itself.

What waited when the backup was made may have left since, or was cancelled since, and the copy cannot know.
So all of it is frozen, with the reason in its history, until a person says that it may go
(docs/howto/backup.md).
"""

import asyncio

from mailguard.core import moves, view
from mailguard.core.errors import IllegalMove, NoSuchMessage, StoreError
from mailguard.core.events import GUARD
from mailguard.ports import Clock, Log, Page, Store

AT_ONCE = 200


class Restoring:
    """To be run before anything else looks at what is due."""

    def __init__(self, *, store: Store, clock: Clock, log: Log) -> None:
        self._store = store
        self._clock = clock
        self._log = log

    async def run(self) -> int:
        """Freeze what a restored store held; how many messages. A second call does nothing; a run that was
        cut off in the middle is begun anew."""
        at = await self._store.restored_from()
        if at is None:
            return 0
        reason = f"restored from a backup of {view.time(at)}; it may have left already"
        ids = await self._unfinished()
        frozen = 0
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            frozen += sum(await asyncio.gather(*(self._freeze(one, reason) for one in some)))
        await self._store.settled_in()
        self._log.trouble("restored_from_backup", of=at, frozen=frozen)
        return frozen

    async def _unfinished(self) -> list[str]:
        # All ids before the first step: a frozen message takes another place in the list.
        ids: list[str] = []
        while page := await self._store.page(Page(after=ids[-1] if ids else None, limit=AT_ONCE)):
            ids += [message.id for message in page]
        return ids

    async def _freeze(self, message_id: str, reason: str) -> bool:
        try:
            message = await self._store.find(message_id)
            change = moves.quarantine(message, reason, by=GUARD, now=self._clock.now())
            return await self._store.apply(change)
        except (IllegalMove, NoSuchMessage) as error:
            # One that cannot be frozen cannot leave either; it must not be in the way of the others.
            self._log.trouble("restore_fault", id=message_id, fault=str(error))
            return False
        except StoreError as error:
            self._log.trouble("restore_fault", id=message_id, fault=str(error))
            raise
