"""Tells outside what happened: from the outbox to each target, at least once, for up to a day.

A piece of news is a row of the outbox, written in the transaction of the change that it is about: whoever
kills the guard in between loses none. Each target has a task of its own, so that one that is slow or gone
keeps no other waiting, and nothing here is ever waited for by a message.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from mailguard.core import news
from mailguard.core.actor import Actor
from mailguard.core.errors import NotTold, StoreError
from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.news import Backlog, Dispatch, Pending, Topic
from mailguard.core.told import Told
from mailguard.core.value import dataclass
from mailguard.flow.alarm import Alarm
from mailguard.ports import Clock, Log
from mailguard.ports.outward import Notifier, Outbox

Json = dict[str, object]

# Pauses after the first, second, ... failure; the last one again and again.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200))
# News that is a day old is none.
GIVE_UP = timedelta(days=1)
# What was given up is shown for so long.
SHOWN = timedelta(days=7)
AT_ONCE = 8
# Longer than any attempt may take: only a guard that was killed leaves it to pass.
IN_HAND = timedelta(minutes=2)
# A store that fails is not asked again at once.
STORE_PAUSE = 5.0
HOUR = timedelta(hours=1)
# More of it at once says nothing more.
MOST_OWN = 20


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where to tell what. `subject` is whether subjects may be told there."""

    name: str
    topics: frozenset[Topic]
    subject: bool
    notifier: Notifier


class Notifying:
    """ports.Announcer for the store, and the tasks that send. `ids` makes an id that nothing else has."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        targets: Sequence[Target],
        clock: Clock,
        log: Log,
        ids: Callable[[], str],
        language: str,
    ) -> None:
        self._outbox = outbox
        self._targets = tuple(targets)
        self._clock = clock
        self._log = log
        self._ids = ids
        self._language = language
        self._alarms = {target.name: Alarm(clock=clock) for target in targets}
        self._backlogs: dict[str, Backlog] = {}
        self._own_news: asyncio.Queue[tuple[Topic, tuple[str, ...]]] = asyncio.Queue(MOST_OWN)

    def news(self, message: HeldMessage, event: Event) -> Sequence[Dispatch]:
        """What is to be told of this event, which left the message as it is given."""
        if not self._targets:
            return ()
        topic = news.topic_of(message, event)
        if topic is None:
            return ()
        chosen = [target for target in self._targets if topic in target.topics]
        # One event, one id: the version counts the events of a message.
        id = f"{message.id}-{message.version}"
        contents = {
            subject: news.content(topic, message, event, subject=subject, language=self._language)
            for subject in {target.subject for target in chosen}
        }
        return [
            Dispatch(id=id, target=target.name, topic=topic, at=event.at, content=contents[target.subject])
            for target in chosen
        ]

    def written(self) -> None:
        """News is on the disk now."""
        for alarm in self._alarms.values():
            alarm.sound(self._clock.now())

    def soon(self, topic: Topic, lines: Sequence[str]) -> None:
        """Tell of the guard itself as soon as `run` comes to it; with a store that fails, too."""
        with contextlib.suppress(asyncio.QueueFull):
            self._own_news.put_nowait((topic, tuple(lines)))

    async def _tell_own(self) -> None:
        while True:
            await self.tell(*await self._own_news.get())

    async def tell(self, topic: Topic, lines: Sequence[str] = ()) -> None:
        """Tell of the guard itself. Where the store is what is wrong, it is told once and at once."""
        chosen = [target for target in self._targets if topic in target.topics]
        dispatches = [self._own(topic, lines, target.name) for target in chosen]
        if not dispatches:
            return
        try:
            await self._outbox.put(dispatches)
            self.written()
        except StoreError:
            attempts = (self._try(*pair) for pair in zip(chosen, dispatches, strict=True))
            await asyncio.gather(*attempts)

    async def test(self, name: str = "") -> list[Json]:
        """Tell a target (without a name: each) that this is a test, at once and once; what came of it."""
        chosen = [target for target in self._targets if name in ("", target.name)]
        tries = (self._try(target, self._own(Topic.TEST, (), target.name)) for target in chosen)
        faults = await asyncio.gather(*tries)
        return [
            {"name": target.name, "ok": fault is None, "fault": str(fault) if fault else ""}
            for target, fault in zip(chosen, faults, strict=True)
        ]

    async def verb(self, request: Mapping[str, object], actor: Actor) -> Json:
        """The front desk's verb `notify`: how it stands with each target, or, with `test`, a try."""
        if not actor.admin:
            return {"told": Told.NOT_YOURS.value, "text": "only an admin may ask about notifications"}
        name = request.get("name")
        name = name if isinstance(name, str) else ""
        known = [target.name for target in self._targets]
        if name and name not in known:
            text = f"no target {name!r}; there are: {', '.join(known) or 'none'}"
            return {"told": Told.REFUSED.value, "text": text}
        if request.get("test") is not True:
            await self._look()
            shown = [one for one in self.status() if name in ("", one["name"])]
            return {"told": Told.DONE.value, "text": "", "targets": shown}
        tried = await self.test(name)
        told = Told.DONE if all(one["ok"] for one in tried) else Told.TRY_LATER
        return {"told": told.value, "text": "", "targets": tried}

    def status(self) -> list[Json]:
        """Each target: how much waits, how much was given up, and why the last attempt failed."""
        return [
            {
                "name": target.name,
                "waiting": (backlog := self._backlogs.get(target.name, Backlog())).waiting,
                "given_up": backlog.given_up,
                "fault": backlog.fault,
            }
            for target in self._targets
        ]

    async def run(self) -> None:
        """Send what is to be sent, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_own())
            await self._persistently(self._begin)
            for target in self._targets:
                tasks.create_task(self._serve(target))
            tasks.create_task(self._clean())

    async def close(self) -> None:
        """Let the connections go."""
        for target in self._targets:
            await target.notifier.close()

    async def _begin(self) -> None:
        names = [target.name for target in self._targets]
        if dropped := await self._outbox.begin(names, self._clock.now()):
            self._log.event("news_dropped", count=dropped, reason="their targets are configured no more")

    async def _serve(self, target: Target) -> None:
        while True:
            await self._persistently(lambda: self._round(target))
            due = None
            with contextlib.suppress(StoreError):
                due = await self._outbox.next_due(target.name)
            await self._alarms[target.name].wait(due)

    async def _persistently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Until it is done: neither a store that fails nor a fault of ours here may end the guard."""
        while True:
            try:
                await work()
                return
            except Exception as error:  # noqa: BLE001  told to the log, and tried again
                kind = "" if isinstance(error, StoreError) else f"{type(error).__name__}: "
                self._log.trouble("news_not_sent", fault=f"{kind}{error}")
                await self._clock.sleep(STORE_PAUSE)

    async def _round(self, target: Target) -> None:
        """All that is due for one target, some at a time."""
        full = True
        while full:
            now = self._clock.now()
            taken = await self._outbox.take(target.name, now, now + IN_HAND, AT_ONCE)
            await asyncio.gather(*(self._send(target, pending) for pending in taken))
            full = len(taken) == AT_ONCE
        self._backlogs[target.name] = await self._outbox.backlog(target.name)

    async def _look(self) -> None:
        for target in self._targets:
            self._backlogs[target.name] = await self._outbox.backlog(target.name)

    async def _send(self, target: Target, pending: Pending) -> None:
        fault = await self._try(target, pending.dispatch)
        if fault is None:
            await self._outbox.done(pending.number)
            return
        now = self._clock.now()
        pause = PAUSES[min(pending.attempts, len(PAUSES) - 1)]
        again = None if fault.final or now + pause > pending.dispatch.at + GIVE_UP else now + pause
        await self._outbox.failed(pending.number, str(fault), again)
        told = {"target": target.name, "id": pending.dispatch.id, "fault": str(fault)}
        if again is None:
            self._log.trouble("news_given_up", **told)
        else:
            self._log.event("news_put_off", **told, attempts=pending.attempts + 1)

    async def _try(self, target: Target, dispatch: Dispatch) -> NotTold | None:
        try:
            await target.notifier.tell(dispatch)
        except NotTold as error:
            return error
        except Exception as error:  # noqa: BLE001  a fault of one target's library is no reason to end
            # Only its kind: the text of a library's error may have the target's address in it.
            return NotTold(f"a fault of ours: {type(error).__name__}")
        return None

    async def _clean(self) -> None:
        while True:
            with contextlib.suppress(StoreError):
                await self._outbox.forget(self._clock.now() - SHOWN)
            await self._clock.sleep(HOUR.total_seconds())

    def _own(self, topic: Topic, lines: Sequence[str], target: str) -> Dispatch:
        now = self._clock.now()
        content = news.own_content(topic, now, tuple(lines), self._language)
        return Dispatch(id=f"guard-{self._ids()}", target=target, topic=topic, at=now, content=content)
