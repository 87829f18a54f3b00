"""The timer: claim what is due, hand it to the upstream, record what came of it, try again or bounce.

One loop claims; a few workers relay. A message in a worker's hands is RELAYING in the store, with its
version fenced, so that a cancel, another claim or a restart can never make it leave twice unnoticed.
"""

import asyncio
from collections.abc import Sequence

from mailguard.core import delivery, moves, outgoing
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.errors import IllegalMove, NoSuchMessage, StoreError
from mailguard.core.events import GUARD
from mailguard.core.hold import Change, Claimed, HeldMessage
from mailguard.flow.afterwards import Afterwards
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.remember import Remember
from mailguard.ports import Clock, Log, NotOffered, Relay, Store

# How many messages may be in hand for each worker: enough that none waits for the claim.
AHEAD = 4
# Bytes of messages in hand, above which nothing more is claimed: a server that hangs must not fill the
# memory. One claim may go over it by as much as a claim brings.
MOST_BYTES = 128 * 1024 * 1024
# After a fault of the store: soon, but not in a circle.
STORE_PAUSE = 1.0
UNCLAIMED_PAUSE = 0.2
# A store that hangs must not keep the guard from stopping.
PUT_BACK_TIMEOUT = 2.0
EXPIRE_AT_ONCE = 100


class Release:
    """The way out. `workers` is how many messages are relayed at the same time."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        remember: Remember,
        bouncing: Bouncing,
        alarm: Alarm,
        clock: Clock,
        log: Log,
        hostname: str,
        workers: int,
    ) -> None:
        self._store = store
        self._relay = relay
        self._bouncing = bouncing
        self._alarm = alarm
        self._clock = clock
        self._log = log
        self._hostname = hostname
        self._workers = workers
        self._ready: asyncio.Queue[Claimed] = asyncio.Queue()
        self._in_hand = 0
        self._bytes_in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.afterwards = Afterwards(remember, self._idle, log)
        self._stopping = False

    async def recover(self) -> int:
        """Before anything else: what a stopped guard had in hand is tried again; how many there were."""
        stranded = await self._store.stranded()
        for message in stranded:
            try:
                change = moves.recover(message, by=GUARD, now=self._clock.now())
            except IllegalMove as error:
                self._log.trouble("recover_fault", id=message.id, fault=str(error))
                continue
            # Of two guards that take over at the same time, one is faster.
            if await self._store.apply(change):
                self._log.trouble("recovered", id=message.id, **change.event.detail)
                self._alarm.sound(self._clock.now())
        return len(stranded)

    async def run(self) -> None:
        """Until `stop` is called or the task is cancelled."""
        workers = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        workers.append(asyncio.create_task(self.afterwards.run()))
        try:
            while not self._stopping:
                await self._round()
            await self._return_the_rest()
            await self._idle.wait()
            await self.afterwards.finish()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._return_the_rest()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is in hand has come to its end."""
        self._stopping = True
        self._alarm.sound(self._clock.now())

    async def _round(self) -> None:
        room = self._workers * AHEAD - self._in_hand if self._bytes_in_hand < MOST_BYTES else 0
        try:
            claimed = await self._claim(room) if room > 0 else 0
            await self.expire()
            due = await self._store.next_due() if claimed < max(room, 1) else self._clock.now()
        except StoreError as error:
            self._log.trouble("store_error", error=str(error))
            await self._clock.sleep(STORE_PAUSE)
            return
        if room > 0 and not claimed and due is not None and due <= self._clock.now():
            # What is due cannot be claimed (a row that cannot be read): look again soon, not in a circle.
            await self._clock.sleep(UNCLAIMED_PAUSE)
            return
        # With every hand full, the next worker to be free sounds the alarm.
        await self._alarm.wait(None if room <= 0 else due)

    async def _claim(self, room: int) -> int:
        claimed = await self._store.claim(self._clock.now(), room)
        self._in_hand += len(claimed)
        if claimed:
            self._idle.clear()
        for one in claimed:
            self._bytes_in_hand += len(one.content)
            self._ready.put_nowait(one)
        return len(claimed)

    async def _work(self) -> None:
        while True:
            claimed = await self._ready.get()
            try:
                await self.relay_one(claimed)
            except Exception as error:  # noqa: BLE001  one message's trouble must not stop the others
                self._log.trouble("relay_fault", id=claimed.message.id, fault=type(error).__name__)
            finally:
                self._done_with(claimed)

    def _done_with(self, claimed: Claimed) -> None:
        self._in_hand -= 1
        self._bytes_in_hand -= len(claimed.content)
        if not self._in_hand:
            self._idle.set()
        if self._in_hand <= self._workers:
            self._alarm.sound(self._clock.now())

    async def _return_the_rest(self) -> None:
        """The guard stops: what no worker has begun with was offered to nobody, and is put back as it was,
        so that after the start nobody is told that it may have left."""
        while not self._ready.empty():
            claimed = self._ready.get_nowait()
            await self._put_back(claimed.message)
            self._done_with(claimed)

    async def _put_back(self, current: HeldMessage) -> None:
        try:
            async with asyncio.timeout(PUT_BACK_TIMEOUT):
                change = moves.put_back(current, by=GUARD, now=self._clock.now())
                while not await self._store.apply(change):
                    current = await self._store.find(current.id)
                    change = moves.put_back(current, by=GUARD, now=self._clock.now())
        except (StoreError, IllegalMove, NoSuchMessage, TimeoutError) as error:
            # It stays in hand; the next start finds it, and takes the darker view.
            self._log.trouble("put_back_fault", id=current.id, fault=str(error) or type(error).__name__)

    async def relay_one(self, claimed: Claimed) -> None:
        """One attempt for one message in hand, recorded before anything else happens to it."""
        message = claimed.message
        try:
            content = outgoing.outgoing(message, claimed.content, self._hostname)
            outcomes = await self._relay.attempt(claimed, content)
        except NotOffered:
            # The guard stops and waits no longer. Nobody has the message, so nobody is told that it may have
            # left.
            await self._put_back(message)
            raise
        except Exception as error:  # noqa: BLE001  an unknown fault is temporary, and never loses mail
            self._log.trouble("relay_fault", id=message.id, fault=type(error).__name__)
            outcomes = _all_later(message, "4.3.0 The guard could not hand it over")
        change = await self._record(claimed, outcomes)
        if change is None:
            return
        self._report(change, outcomes)
        left = any(outcome.answer is Answer.TAKEN for outcome in outcomes)
        await self.afterwards.learn(change.after, claimed.content, left=left)

    async def _record(self, claimed: Claimed, outcomes: Sequence[Outcome]) -> Change | None:
        """Write down what the upstream said. Until that is on the disk the message stays in hand: a
        message that has left must not be offered again because the disk was full."""
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
                    await self._record_late(claimed.message, current, outcomes)
                    return None
            except StoreError as error:
                self._log.trouble("store_error", id=current.id, error=str(error))
                await self._clock.sleep(STORE_PAUSE)
            except (IllegalMove, NoSuchMessage, ValueError) as error:
                # Only another hand in the store could do this; the next start recovers the message.
                self._log.trouble("settle_fault", id=current.id, fault=str(error))
                return None

    async def _record_late(
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

    async def expire(self) -> None:
        """Return to their senders the messages that nobody decided about in time."""
        now = self._clock.now()
        for message in await self._store.expired(now, EXPIRE_AT_ONCE):
            try:
                result = moves.expire(message, by=GUARD, now=now)
            except IllegalMove as error:
                # One message's trouble must not stop the others.
                self._log.trouble("expire_fault", id=message.id, fault=str(error))
                continue
            if not isinstance(result, Change):
                continue
            change = self._bouncing.expired(result, await self._store.content(message.id))
            if await self._store.apply(change):
                self._log.event("expire", id=message.id, state=change.after.state.value)


def _all_later(message: HeldMessage, reply: str) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(address=recipient.address, answer=Answer.LATER, reply=reply)
        for recipient in message.recipients
        if recipient.in_flight
    )
