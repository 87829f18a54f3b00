"""The timer: claim what is due, hand it to the upstream, record what came of it, try again or bounce.

One loop claims; a few workers relay, and go on with the next message while what came of the last one is
written down. A message in hand is RELAYING in the store, with its version fenced, so that a cancel, another
claim or a restart can never make it leave twice unnoticed.
"""

import asyncio
from collections.abc import Sequence

from mailguard.core import moves, outgoing
from mailguard.core.delivery import Outcome, all_later
from mailguard.core.errors import IllegalMove, NoSuchMessage, StoreError
from mailguard.core.events import GUARD
from mailguard.core.hold import Change, Claimed, HeldMessage
from mailguard.flow.afterwards import Afterwards
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.in_hand import InHand
from mailguard.flow.recording import STORE_PAUSE, Recording
from mailguard.flow.remember import Remember
from mailguard.ports import Clock, Log, NotOffered, Relay, Store

# How many for each worker may have been offered before it is on the disk what came of them: so many can leave
# twice where the guard is killed. With fewer, mail that leaves fast waits for the disk; where it leaves
# slowly, less is in hand (in_hand.py).
UNWRITTEN = 12
# Where what is due cannot be claimed.
UNCLAIMED_PAUSE = 0.2
# A store that hangs must not keep the guard from stopping.
PUT_BACK_TIMEOUT = 2.0
EXPIRE_AT_ONCE = 100
# Seconds after which it is looked for what is to expire, though there is more to claim.
EXPIRE_EVERY = 1.0


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
        self._in_hand = InHand(workers, clock)
        self.afterwards = Afterwards(remember, self._in_hand.idle, log)
        self._recording = Recording(
            store=store, bouncing=bouncing, afterwards=self.afterwards, alarm=alarm, clock=clock, log=log
        )
        self._unwritten = asyncio.Semaphore(workers * UNWRITTEN)
        self._being_written: set[asyncio.Task[None]] = set()
        self._expire_at = 0.0
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
            await self._in_hand.idle.wait()
            await self.afterwards.finish()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._write_the_rest()
            await self._return_the_rest()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is in hand has come to its end."""
        self._stopping = True
        self._alarm.sound(self._clock.now())

    async def _round(self) -> None:
        room = self._in_hand.room()
        try:
            claimed = await self._claim(room) if room > 0 else 0
            more = 0 < room <= claimed
            if not more or self._clock.monotonic() >= self._expire_at:
                await self.expire()
                self._expire_at = self._clock.monotonic() + EXPIRE_EVERY
            due = self._clock.now() if more else await self._store.next_due()
        except StoreError as error:
            self._log.trouble("store_error", error=str(error))
            await self._clock.sleep(STORE_PAUSE)
            return
        if room > 0 and not claimed and due is not None and due <= self._clock.now():
            # A row that cannot be read: look again soon, not in a circle.
            await self._clock.sleep(UNCLAIMED_PAUSE)
            return
        # With every hand full, whoever sees that there is little left sounds the alarm.
        await self._alarm.wait(None if room <= 0 else due)

    async def _claim(self, room: int) -> int:
        claimed = await self._store.claim(self._clock.now(), room)
        self._in_hand.take(claimed)
        for one in claimed:
            self._ready.put_nowait(one)
        return len(claimed)

    async def _work(self) -> None:
        while True:
            # Before the message is taken: between the answer and its record nothing is waited for.
            await self._unwritten.acquire()
            claimed = await self._next()
            try:
                outcomes = await self._offer(claimed)
            except BaseException:
                self._done_with(claimed)
                raise
            task = asyncio.create_task(self._record(claimed, outcomes))
            self._being_written.add(task)
            task.add_done_callback(self._being_written.discard)

    async def _next(self) -> Claimed:
        try:
            return await self._ready.get()
        except BaseException:
            self._unwritten.release()
            raise

    async def _record(self, claimed: Claimed, outcomes: Sequence[Outcome]) -> None:
        try:
            await self._recording.record(claimed, outcomes)
        except Exception as error:  # noqa: BLE001  one message's trouble must not stop the others
            self._log.trouble("settle_fault", id=claimed.message.id, fault=type(error).__name__)
        finally:
            self._done_with(claimed)

    def _done_with(self, claimed: Claimed) -> None:
        self._in_hand.done_with(claimed)
        self._unwritten.release()
        if self._in_hand.low:
            self._alarm.ring()

    async def _write_the_rest(self) -> None:
        """What has left is to be known as sent after the start."""
        if self._being_written:
            await asyncio.wait(self._being_written, timeout=PUT_BACK_TIMEOUT)
        for task in self._being_written:
            task.cancel()
        await asyncio.gather(*self._being_written, return_exceptions=True)

    async def _return_the_rest(self) -> None:
        """The guard stops: what no worker has begun with was offered to nobody, and is put back as it was,
        so that after the start nobody is told that it may have left."""
        while not self._ready.empty():
            claimed = self._ready.get_nowait()
            await self._put_back(claimed.message)
            self._in_hand.done_with(claimed)

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
        await self._recording.record(claimed, await self._offer(claimed))

    async def _offer(self, claimed: Claimed) -> Sequence[Outcome]:
        message = claimed.message
        try:
            content = outgoing.outgoing(message, claimed.content, self._hostname)
            return await self._relay.attempt(claimed, content)
        except NotOffered:
            # The guard stops and waits no longer. Nobody has the message, so nobody is told that it may have
            # left.
            await self._put_back(message)
            raise
        except Exception as error:  # noqa: BLE001  an unknown fault is temporary, and never loses mail
            self._log.trouble("relay_fault", id=message.id, fault=type(error).__name__)
            return all_later(message, "4.3.0 The guard could not hand it over")

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
