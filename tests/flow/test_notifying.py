"""What happens is told to each target, at least once, with pauses that grow, and given up visibly."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from mailguard.core.actor import ADMIN, Actor
from mailguard.core.errors import NotTold
from mailguard.core.news import Dispatch, Topic
from mailguard.core.states import MessageState
from mailguard.edge.store import Database, SqliteOutbox, SqliteStore
from mailguard.flow.notifying import GIVE_UP, IN_HAND, Notifying, Target
from mailguard.ports.outward import Notifier
from tests.clocks import FakeClock
from tests.edge.store.samples import RecordingLog, new
from tests.making import in_state, message

EVERYTHING = frozenset(Topic)


@dataclass
class Room:
    """ports.Notifier: fails by script, then takes what it is told."""

    script: list[Exception | str] = field(default_factory=list)
    told: list[Dispatch] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def tell(self, dispatch: Dispatch) -> None:
        self.tried.append(dispatch.id)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        if step == "hang":
            await asyncio.Event().wait()
        self.told.append(dispatch)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(kw_only=True)
class Parts:
    store: SqliteStore
    outbox: SqliteOutbox
    notifying: Notifying
    clock: FakeClock
    log: RecordingLog
    database: Database

    async def until(self, wanted: Callable[[], bool], step: timedelta = timedelta(seconds=1)) -> None:
        """Let time go by until it is so."""
        async with asyncio.timeout(20):
            while not wanted():
                await self.clock.advance(step)


def target(name: str, notifier: Notifier, *topics: Topic, subject: bool = False) -> Target:
    return Target(name=name, topics=frozenset(topics) or EVERYTHING, subject=subject, notifier=notifier)


@asynccontextmanager
async def opened(directory: Path, *targets: Target, run: bool = True) -> AsyncIterator[Parts]:
    log, clock = RecordingLog(), FakeClock()
    database = await Database.open(directory / "queue.db", log=log)
    outbox = SqliteOutbox(database)
    numbers = iter(range(1000))
    notifying = Notifying(
        outbox=outbox, targets=targets, clock=clock, log=log, ids=lambda: str(next(numbers)), language="en"
    )
    store = SqliteStore(database, announcer=notifying)
    running = asyncio.create_task(notifying.run()) if run else None
    try:
        yield Parts(store=store, outbox=outbox, notifying=notifying, clock=clock, log=log, database=database)
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await notifying.close()
        await database.close()


APPROVAL = in_state(MessageState.APPROVAL)


async def test_what_is_put_into_the_store_is_told_at_once(tmp_path: Path) -> None:
    room = Room()
    async with opened(tmp_path, target("room", room)) as parts:
        await parts.until(lambda: bool(parts.notifying.status()))
        await parts.store.add(new(APPROVAL))
        await parts.until(lambda: bool(room.told), timedelta(0))
        [told] = room.told
        assert told.id == f"{APPROVAL.id}-0"
        assert told.topic is Topic.APPROVAL
        await parts.until(lambda: True)
        assert (await parts.outbox.backlog("room")).waiting == 0


async def test_each_target_hears_what_it_asked_for(tmp_path: Path) -> None:
    all_of_it, failures, subjects = Room(), Room(), Room()
    targets = (
        target("all", all_of_it),
        target("failures", failures, Topic.FAILED),
        target("subjects", subjects, Topic.APPROVAL, subject=True),
    )
    async with opened(tmp_path, *targets) as parts:
        await parts.store.add(new(APPROVAL))
        await parts.store.add(new(message(id="k8fm2xqp9d3t")))
        await parts.until(lambda: bool(all_of_it.told and subjects.told))
        assert len(all_of_it.told) == len(subjects.told) == 1
        assert failures.tried == []
        assert "subject" not in json.loads(all_of_it.told[0].content)["data"]["message"]
        assert json.loads(subjects.told[0].content)["data"]["message"]["subject"] == APPROVAL.subject


async def test_what_failed_is_tried_again_with_the_same_id_and_the_same_words(tmp_path: Path) -> None:
    room = Room(script=[NotTold("answered 500"), RuntimeError("hunter2"), NotTold("answered 503")])
    async with opened(tmp_path, target("room", room)) as parts:
        begun = parts.clock.now()
        await parts.store.add(new(APPROVAL))
        await parts.until(lambda: bool(room.told))
        assert room.tried == [f"{APPROVAL.id}-0"] * 4
        assert timedelta(seconds=155) <= parts.clock.now() - begun < timedelta(seconds=200)
        put_off = [fields for name, fields in parts.log.events if name == "news_put_off"]
        assert [one["attempts"] for one in put_off] == [1, 2, 3]
        assert put_off[1]["fault"] == "a fault of ours: RuntimeError"
        assert "hunter2" not in repr(parts.log.events + parts.log.troubles)


async def test_after_a_day_it_is_given_up_and_seen_to_be(tmp_path: Path) -> None:
    room = Room(script=[NotTold("answered 500")] * 100)
    async with opened(tmp_path, target("room", room)) as parts:
        begun = parts.clock.now()
        await parts.store.add(new(APPROVAL))
        await parts.until(lambda: bool(parts.log.troubles), timedelta(minutes=10))
        assert GIVE_UP - timedelta(hours=3) < parts.clock.now() - begun <= GIVE_UP
        assert parts.log.troubles == [
            ("news_given_up", {"target": "room", "id": f"{APPROVAL.id}-0", "fault": "answered 500"})
        ]
        await parts.until(lambda: parts.notifying.status()[0]["given_up"] == 1)
        answer = await parts.notifying.verb({"verb": "notify"}, ADMIN)
        assert answer["targets"] == [{"name": "room", "waiting": 0, "given_up": 1, "fault": "answered 500"}]
        assert 10 < len(room.tried) < 30


async def test_what_is_gone_for_good_is_given_up_at_once(tmp_path: Path) -> None:
    room = Room(script=[NotTold("answered 410", final=True)])
    async with opened(tmp_path, target("room", room)) as parts:
        await parts.store.add(new(APPROVAL))
        await parts.until(lambda: bool(parts.log.troubles))
        assert len(room.tried) == 1


async def test_one_that_hangs_keeps_no_other_waiting(tmp_path: Path) -> None:
    stuck, well = Room(script=["hang"]), Room()
    async with opened(tmp_path, target("stuck", stuck), target("well", well)) as parts:
        for number in range(3):
            await parts.store.add(new(replace(APPROVAL, id=f"k{number}fm2xqp9d3t")))
        await parts.until(lambda: len(well.told) == 3)
        assert len(stuck.tried) >= 1


async def test_what_a_killed_guard_had_in_hand_is_told_by_the_next_one(tmp_path: Path) -> None:
    room, after = Room(script=["hang"]), Room()
    async with opened(tmp_path, target("room", room)) as parts:
        await parts.store.add(new(APPROVAL))
        await parts.until(lambda: bool(room.tried))
        assert await parts.outbox.next_due("room") is not None
    async with opened(tmp_path, target("room", after)) as parts:
        begun = parts.clock.now()
        await parts.until(lambda: bool(after.told))
        assert after.tried == room.tried
        assert parts.clock.now() - begun < IN_HAND


async def test_a_target_that_is_named_no_more_is_dropped(tmp_path: Path) -> None:
    async with opened(tmp_path, target("old", Room()), run=False) as parts:
        await parts.store.add(new(APPROVAL))
    room = Room()
    async with opened(tmp_path, target("new", room)) as parts:
        await parts.until(lambda: bool(parts.log.events))
        [(name, fields)] = parts.log.events
        assert (name, fields["count"]) == ("news_dropped", 1)
        assert room.tried == []


async def test_without_targets_nothing_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        await parts.store.add(new(APPROVAL))
        assert (await parts.outbox.backlog("room")).waiting == 0
        assert parts.notifying.status() == []


async def test_news_of_the_guard_is_told_even_where_the_store_is_what_is_wrong(tmp_path: Path) -> None:
    room, other = Room(), Room()
    targets = (target("room", room), target("other", other, Topic.FAILED))
    async with opened(tmp_path, *targets) as parts:
        parts.notifying.soon(Topic.TROUBLE, ["the disk is full"])
        await parts.until(lambda: bool(room.told))
        await parts.database.close()
        parts.notifying.soon(Topic.TROUBLE, ["the disk failed"])
        await parts.until(lambda: len(room.told) == 2)
        assert "the disk failed" in room.told[1].content
        assert room.told[0].id != room.told[1].id
        assert other.tried == []
        for _ in range(100):
            parts.notifying.soon(Topic.TROUBLE, ["again"])


async def test_a_test_is_told_at_once_and_its_outcome_shown(tmp_path: Path) -> None:
    well, ill = Room(), Room(script=[NotTold("answered 401")])
    async with opened(tmp_path, target("well", well), target("ill", ill, Topic.FAILED), run=False) as parts:
        answer = await parts.notifying.verb({"verb": "notify", "test": True}, ADMIN)
        assert answer["told"] == "try_later"
        assert answer["targets"] == [
            {"name": "well", "ok": True, "fault": ""},
            {"name": "ill", "ok": False, "fault": "answered 401"},
        ]
        assert well.told[0].topic is Topic.TEST
        answer = await parts.notifying.verb({"verb": "notify", "test": True, "name": "well"}, ADMIN)
        assert answer["told"] == "done"
        answer = await parts.notifying.verb({"verb": "notify", "name": "nobody"}, ADMIN)
        assert (answer["told"], answer["text"]) == ("refused", "no target 'nobody'; there are: well, ill")


async def test_only_an_admin_may_ask(tmp_path: Path) -> None:
    room = Room()
    async with opened(tmp_path, target("room", room), run=False) as parts:
        answer = await parts.notifying.verb({"verb": "notify", "test": True}, Actor(name="anne"))
        assert answer["told"] == "not_yours"
        assert room.tried == []
