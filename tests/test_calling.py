"""Methods of the other process: the records and the memory, each through a real channel."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mailguard.app.crossing import About, Seen
from mailguard.app.far import RECALLS, RECORDS, THREADS, FarRecalling, FarRecords
from mailguard.core.errors import StoreError
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.edge.channel import Channel
from mailguard.edge.store import Database, SqliteMemory, SqliteRecords
from mailguard.flow.recalling import Recalling
from mailguard.ports import Entry
from tests.flow.parts import Parts, opened, submission
from tests.making import NOW, message, recipient
from tests.upstreams import Lines

BOB = "bob@client.example"


def letter(number: int, text: str = "Hello") -> Letter:
    """One that leaves."""
    return Letter(sender="anne@corp.example", when=NOW, to=(BOB,), message_id=f"{number}@x", text=text)


@asynccontextmanager
async def joined(records: Any, threads: Any, recalling: Any) -> AsyncIterator[tuple[Channel, Channel]]:
    """The ends of the process that judges and of the one that keeps."""

    async def keep(about: int, head: bytes, body: bytes) -> bytes:
        return await (
            RECORDS.answer(records, head) if about == About.RECORDS else THREADS.answer(threads, head)
        )

    async def judge(about: int, head: bytes, body: bytes) -> bytes:
        return await RECALLS.answer(recalling(), head)

    def nothing(*_: object) -> None:
        return None

    ends = []
    for end, answer in zip(socket.socketpair(), (judge, keep), strict=True):
        channel = Channel(answer=answer, hear=nothing, fault=nothing, lost=nothing)
        await asyncio.get_running_loop().create_unix_connection(lambda made=channel: made, sock=end)  # type: ignore[misc]
        ends.append(channel)
    try:
        yield ends[0], ends[1]
    finally:
        for one in ends:
            one.close()


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with opened(tmp_path) as made:
        yield made


async def test_the_records_are_the_same_from_afar(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "queue.db", log=Lines())
    near = SqliteRecords(database)
    async with joined(near, SqliteMemory(database), lambda: None) as (there, _):
        far = FarRecords(there)
        observation = Observation(
            when=1_700_000_000,
            sender="a@corp.example",
            to=(BOB, "jürgen@bücher.example"),
            message_id=(1 << 64) - 1,
            answers=(5, (1 << 64) - 2),
            terms=((7, 255), ((1 << 32) - 1, 1)),
            names=((BOB, "Bob"),),
        )
        entry = Entry(mark=-(1 << 63), observation=observation, score=0.25, judged_by=(1 << 63) - 1)
        assert await far.append([entry], source="folder", place="17") == [1]
        assert await far.append([entry], source="folder", place="18") == [0]
        assert await far.latest() == await near.latest() == 1
        assert await far.read((-(1 << 62), 0), 9, 9) == await near.read((-(1 << 62), 0), 9, 9) != []
        assert await far.since(0, 9) == await near.since(0, 9)
        assert await far.place("folder") == "18"
        assert await far.place("another") is None
        await far.all_read(["folder"])
        assert await far.place("folder") is None
        await far.add_meant("a@corp.example", {("first_contact", BOB)})
        meant = {"a@corp.example": frozenset({("first_contact", BOB)})}
        assert await far.meant() == await near.meant() == meant
        # The entry, and the yes.
        assert await far.erase(BOB) == 2
        assert await far.erased() == await near.erased()
        assert await far.forget(1_800_000_000) == 1
        await SqliteMemory(database).learn("one@x", [], [BOB])
        assert (await far.thread(["one@x"])).participants == {BOB}
    await database.close()


async def test_the_memory_is_the_same_from_afar(parts: Parts) -> None:
    """Both ways at once: what the memory is told from here it has written down here."""
    made: list[Recalling] = []
    async with joined(parts.recalling._records, parts.memory, lambda: made[0]) as (there, here):
        rules, clock = parts.rules, parts.clock
        digests = parts.recalling._digests
        made.append(
            Recalling(records=FarRecords(there), policies=rules, clock=clock, log=parts.log, digests=digests)
        )
        seen = Seen(ready=True, mails=3)
        far = FarRecalling(lambda: here, rules, lambda: seen)
        assert far.on
        assert far.status() == {"on": True, "ready": True, "mails": 3}
        await made[0].make()
        assert await far.observe(letter(1))
        assert not await far.observe(letter(1))
        assert await far.observe(letter(2, "café"))
        assert made[0].mails == 2
        known = await far.recollect(letter(3), "anne@corp.example", ["anne@corp.example"], [])
        assert known.people[BOB].mails == 2
        held = message(sender="anne@corp.example", recipients=(recipient(BOB),))
        await far.meant(held)
        assert await far.begun("folder") is None
        lesson = Observation(when=1_700_000_000, sender=BOB, to=("anne@corp.example",))
        assert await far.learn([lesson], "folder", "1") == 1
        assert await far.begun("folder") == "1"
        await far.settle(["folder"])
        assert await far.erase(BOB) == 3
        # The other one makes it.
        await far.make()


async def test_a_fault_of_the_store_is_one_on_the_other_side_with_its_words() -> None:
    class Broken:
        async def latest(self) -> int:
            raise StoreError("the disk of /var failed")

        async def thread(self, message_ids: object) -> None:
            raise KeyError("a secret")

    async with joined(Broken(), Broken(), lambda: None) as (there, here):
        with pytest.raises(StoreError, match=r"^the disk of /var failed$"):
            await FarRecords(there).latest()
        with pytest.raises(StoreError, match=r"did not answer: KeyError$"):
            await FarRecords(there).thread(["a@b"])
        here.close()
        await asyncio.sleep(0.01)
        with pytest.raises(StoreError, match="did not answer"):
            await FarRecords(there).latest()


async def test_no_decision_fails_for_want_of_the_memory(parts: Parts) -> None:
    async with joined(None, None, lambda: None) as (there, here):
        there.close()
        await asyncio.sleep(0.01)
        await FarRecalling(lambda: here, parts.rules, Seen).meant(message())
        with pytest.raises(StoreError):
            await FarRecalling(lambda: here, parts.rules, Seen).observe(letter(1))
        assert submission(now=parts.clock)
