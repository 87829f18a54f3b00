"""What is finished is forgotten in time: bytes first, then metadata; the store shrinks with it."""

from mailguard.core import resubmission
from mailguard.core.errors import StoreError
from mailguard.ports import Clock, Log, Policies, Store

EVERY_SECONDS = 600.0
# What is forgotten in one transaction: some 10 ms, in which nobody else can write.
AT_ONCE = 100


class Retention:
    """Keeps bodies only as long as a restore may want them (`undo`) and metadata for `keep`."""

    def __init__(self, *, store: Store, policies: Policies, clock: Clock, log: Log) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Until cancelled, a sweep every ten minutes."""
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                self._log.trouble("store_error", error=str(error))
            await self._clock.sleep(EVERY_SECONDS)

    async def sweep(self) -> int:
        """Forget all that is due to be forgotten, a bounded bite at a time; how many messages."""
        policy, now = self._policies.current, self._clock.now()
        # What can still be restored, or handed in again, is kept, however short `keep` is.
        keep = max(policy.keep, policy.undo, resubmission.WINDOW)
        total = 0
        while touched := await self._store.forget(now - keep, now - policy.undo, AT_ONCE):
            total += touched
        return total
