"""Several guards, one log: each one's memory knows what the others saw, and each mail once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.edge.store import Database, SqliteRecords
from mailguard.flow.recalling import QUIET, Recalling
from tests.clocks import FakeClock
from tests.edge.store.samples import RecordingLog
from tests.flow.parts import Rules
from tests.letters import CLIENT, LAYOFFS, PAUL


class SharedRecords(SqliteRecords):
    """As several guards see it: somebody may have been erased by another one."""

    erasures = 0

    async def erased(self) -> int:
        return self.erasures


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SharedRecords]:
    database = await Database.open(tmp_path / "queue.db", log=RecordingLog())
    yield SharedRecords(database)
    await database.close()


def guard(records: SharedRecords, clock: FakeClock) -> Recalling:
    return Recalling(
        records=records,
        policies=Rules(),
        clock=clock,
        log=RecordingLog(),
        digests=Digests(b"a key for tests"),
        shared=True,
    )


def letter_of(number: int, when: datetime) -> Letter:
    return Letter(sender=PAUL, when=when, to=(CLIENT,), text=LAYOFFS, message_id=f"{number}@corp.example")


def mails(recalling: Recalling) -> object:
    return recalling.status()["mails"]


async def test_what_one_saw_all_know_and_each_once(records: SharedRecords) -> None:
    clock = FakeClock()
    one, two = guard(records, clock), guard(records, clock)
    for recalling in (one, two):
        await recalling.tend()
    for number in range(6):
        when = clock.now() + timedelta(seconds=number)
        assert await (one, two)[number % 2].observe(letter_of(number, when))
    for recalling in (one, two):
        for _ in range(2):
            await recalling.tend()
        assert mails(recalling) == 6
        await recalling.make()
        await recalling.tend()
        assert mails(recalling) == 6


async def test_years_of_mail_that_another_guard_learns_come_when_it_is_done(records: SharedRecords) -> None:
    clock = FakeClock()
    one, two = guard(records, clock), guard(records, clock)
    for recalling in (one, two):
        await recalling.tend()
    old = int((clock.now() - timedelta(days=50)).timestamp())
    seen = [Observation(when=old + n, sender="a@corp.example", to=(CLIENT,)) for n in range(5)]
    assert await one.learn(seen, source="a folder", place="1") == 5
    await two.tend()
    assert mails(two) == 0
    await clock.advance(QUIET)
    await two.tend()
    assert mails(two) == 5


async def test_who_is_erased_at_one_guard_is_forgotten_by_all(records: SharedRecords) -> None:
    clock = FakeClock()
    one, two = guard(records, clock), guard(records, clock)
    await two.tend()
    await one.observe(letter_of(1, clock.now()))
    await two.tend()
    assert mails(two) == 1
    await one.erase(CLIENT)
    records.erasures = 1
    await two.tend()
    assert mails(two) == 0
