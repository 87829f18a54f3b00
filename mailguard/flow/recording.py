"""What came of an attempt at the upstream is written down, told, and learnt from."""

from collections.abc import Sequence

from mailguard.core import delivery
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.errors import IllegalMove, NoSuchMessage, StoreError
from mailguard.core.events import GUARD
from mailguard.core.hold import Change, Claimed, HeldMessage
from mailguard.flow.afterwards import Afterwards
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.ports import Clock, Log, Store

# After a fault of the store: soon, but not in a circle.
STORE_PAUSE = 1.0


class Recording:
    """Until it is on the disk what the upstream said, the message stays in hand: one that has left must not
    be offered again because the disk was full."""

    def __init__(
        self,
        *,
        store: Store,
        bouncing: Bouncing,
        afterwards: Afterwards,
        alarm: Alarm,
        clock: Clock,
        log: Log,
    ) -> None:
        self._store = store
        self._bouncing = bouncing
        self._afterwards = afterwards
        self._alarm = alarm
        self._clock = clock
        self._log = log

    async def record(self, claimed: Claimed, outcomes: Sequence[Outcome]) -> None:
        """Write down one outcome for each recipient that was in flight, in their order."""
        change = await self._written(claimed, outcomes)
        if change is None:
            return
        self._report(change, outcomes)
        left = any(outcome.answer is Answer.TAKEN for outcome in outcomes)
        await self._afterwards.learn(change.after, claimed.content, left=left)

    async def _written(self, claimed: Claimed, outcomes: Sequence[Outcome]) -> Change | None:
        current = claimed.message
        while True:
            try:
                with self._clock.steady():
                    change = delivery.settle(current, outcomes, by=GUARD, now=self._clock.now())
                    change = self._bouncing.settled(change, outcomes, claimed.content)
                    if await self._store.apply(change):
                        return change
                current = await self._store.find(current.id)
                if not delivery.same_claim(current, claimed.message):
                    await self._written_late(claimed.message, current, outcomes)
                    return None
            except StoreError as error:
                self._log.trouble("store_error", id=current.id, error=str(error))
                await self._clock.sleep(STORE_PAUSE)
            except (IllegalMove, NoSuchMessage, ValueError) as error:
                # Only another hand in the store could do this; the next start recovers the message.
                self._log.trouble("settle_fault", id=current.id, fault=str(error))
                return None

    async def _written_late(
        self, claimed: HeldMessage, current: HeldMessage, outcomes: Sequence[Outcome]
    ) -> None:
        """Another guard has taken the message over meanwhile, because this one was not heard of."""
        while change := delivery.late(current, claimed, outcomes, by=GUARD, now=self._clock.now()):
            if await self._store.apply(change):
                self._log.trouble("late_answer", id=current.id, **change.event.detail)
                return
            current = await self._store.find(current.id)

    def _report(self, change: Change, outcomes: Sequence[Outcome]) -> None:
        after = change.after
        for outcome in outcomes:
            self._log.event(outcome.answer.value, id=after.id, to=outcome.address, reply=outcome.reply)
            if outcome.ambiguous:
                self._log.trouble("may_arrive_twice", id=after.id, to=outcome.address)
        if after.due_at is not None:
            self._alarm.sound(after.due_at)
        for new in change.adds:
            self._log.event("bounced", id=after.id, bounce=new.message.id)
            if new.message.due_at is not None:
                self._alarm.sound(new.message.due_at)
