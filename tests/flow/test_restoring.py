"""A store that was put back to a backup: nothing leaves by itself, and everybody is told why."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.states import FINISHED, MessageState
from mailguard.core.told import Told
from mailguard.edge.store import backup
from tests.edge.store.samples import new
from tests.flow.parts import ANNE, BOB, Parts, opened
from tests.making import NOW, in_state, message, recipient

UNFINISHED = [state for state in MessageState if state not in FINISHED]


async def restored(parts: Parts, directory: Path) -> Path:
    """A copy of this store, as `mailguard backup` makes it, in the place of a queue."""
    still = await parts.standstill.begin()
    directory.mkdir()
    target = directory / "queue.db"
    with backup.beside(target) as copied:
        backup.copy(still, copied, going_on=lambda done: None)
        assert await parts.standstill.end(still.token)
        backup.finish(copied, still, target, force=False)
    return directory


@pytest.fixture
async def later(parts: Parts, tmp_path: Path) -> AsyncIterator[Parts]:
    """The first start from a backup with a message in each state."""
    for number, state in enumerate(MessageState):
        held = replace(in_state(state), id=f"k7fm2xqp9d{number:02}")
        await parts.store.add(new(held))
    split = message(recipient(), recipient("c@client.example", in_flight=True), state=MessageState.RELAYING)
    await parts.store.add(new(replace(split, id="s7fm2xqp9d3t")))
    directory = await restored(parts, tmp_path / "later")
    async with opened(directory) as joined:
        await joined.clock.advance(timedelta(hours=1))
        yield joined


async def test_nothing_leaves_by_itself(later: Parts) -> None:
    assert await later.restoring.run() == len(UNFINISHED) + 1
    await later.release.recover()
    await later.tick(timedelta(days=6))
    assert later.relay.attempts == []
    frozen = await later.history.listing(ADMIN, states=frozenset({MessageState.FROZEN}))
    assert len(frozen) == len(UNFINISHED) + 1
    for held in frozen:
        *_, last = await later.store.events(held.id)
        assert (last.event, last.by) == ("quarantine", "mailguard")
        assert "restored from a backup of 20" in str(last.detail["reason"])
        assert "may have left already" in str(last.detail["reason"])
        assert held.expires_at == NOW + timedelta(hours=1) + timedelta(days=7)
    for state in FINISHED:
        assert len(await later.history.listing(ADMIN, states=frozenset({state}))) == 1


async def test_it_is_done_once(later: Parts) -> None:
    assert await later.restoring.run() > 0
    version = (await later.store.find("k7fm2xqp9d00")).version
    assert await later.restoring.run() == 0
    assert (await later.store.find("k7fm2xqp9d00")).version == version
    assert "restored_from_backup" in later.log.names


async def test_a_store_that_was_not_restored_is_left_alone(parts: Parts) -> None:
    held = await parts.id_of()
    assert await parts.restoring.run() == 0
    assert (await parts.store.find(held)).state is MessageState.HELD


async def test_a_first_start_that_was_cut_off_is_made_anew(
    later: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off() -> None:
        raise OSError("the machine is gone")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="gone"):
        patched.setattr(later.store, "settled_in", cut_off)
        await later.restoring.run()
    assert await later.restoring.run() == len(UNFINISHED) + 1
    assert await later.store.restored_from() is None


async def test_a_person_says_go(later: Parts) -> None:
    await later.restoring.run()
    held = "k7fm2xqp9d00"
    assert (await later.decide.thaw(held, ANNE)).told is Told.NOT_YOURS
    assert (await later.decide.thaw(held, ADMIN)).told is Told.DONE
    await later.tick(timedelta(minutes=6))
    assert [one for one, *_ in later.relay.taken] == [held]


async def test_a_gate_is_still_shut_after_the_thaw(later: Parts) -> None:
    await later.restoring.run()
    waiting = f"k7fm2xqp9d{list(MessageState).index(MessageState.APPROVAL):02}"
    answer = await later.decide.thaw(waiting, ADMIN)
    assert answer.message is not None
    assert answer.message.state is MessageState.APPROVAL
    assert (await later.decide.approve(waiting, BOB)).told is Told.NOT_YOURS
    assert (await later.decide.approve(waiting, ADMIN)).told is Told.DONE


async def test_a_cancel_stops_it_and_admits_that_it_may_have_left(later: Parts) -> None:
    await later.restoring.run()
    answer = await later.decide.cancel("k7fm2xqp9d00", ADMIN)
    assert answer.told is Told.TOO_LATE
    assert "may have reached b@client.example" in answer.text
    assert answer.message is not None
    assert answer.message.state is MessageState.CANCELLED


async def test_nobody_is_told_that_it_was_surely_not_sent(later: Parts) -> None:
    await later.restoring.run()
    await later.tick(timedelta(days=8))
    for _ in range(3):
        await later.tick()
    reports = [content for _, _, content in later.relay.taken]
    assert len(reports) == len(UNFINISHED) + 1
    assert all(b"may have arrived" in report for report in reports)


async def test_a_copy_of_the_bare_file_is_no_backup(parts: Parts, tmp_path: Path) -> None:
    """Nobody can tell it from the queue itself; so the manual says to use the verb."""
    await parts.id_of()
    still = await parts.standstill.begin()
    (tmp_path / "bare").mkdir()
    shutil.copyfile(still.path, tmp_path / "bare" / "queue.db")
    async with opened(tmp_path / "bare") as bare:
        assert await bare.store.restored_from() is None
