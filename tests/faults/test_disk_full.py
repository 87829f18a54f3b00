"""A disk that fills up under the running guard: it stops taking mail in time, and can still let go of it."""

import time
from pathlib import Path

import pytest

from mailguard.core.errors import StoreFull
from mailguard.edge.store.messages import SqliteStore
from mailguard.edge.store.sqlite import Database
from tests import guard as guards
from tests import sink as sinks
from tests.edge.store.samples import RecordingLog, cancelled, new, numbered, put
from tests.edge.web.parts import page
from tests.faults.injecting import (
    ask,
    assert_no_python_in_the_log,
    assert_turned_away,
    hand_in,
    kill,
    state_of,
    taken,
    troubles,
    wait_for_state,
)
from tests.faults.small_disk import small_disk
from tests.guard import Guard

MIB = 1024 * 1024


def fill(disk: Path) -> Path:
    """Somebody else takes all that is left, to the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (MIB, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return filler


def filled(guard: Guard) -> list[str]:
    """Mail until there is no room for more; the ids."""
    held: list[str] = []
    while (reply := hand_in(guard, f"mail{len(held)}", padding=MIB))[0] == 250:
        held.append(reply[1].split(" as ")[1].split()[0])
        assert len(held) < 20, "24 MiB hold no 20 of these"
    assert len(held) >= 4
    assert_turned_away(reply, 452)
    assert reply[1].startswith("4.3.1"), reply
    return held


@pytest.mark.slow
def test_mail_is_refused_in_time_and_what_is_held_can_go(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with sinks.running() as sink, small_disk(state, 24 * MIB):
        guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), web="\n")
        guard.start()
        held = filled(guard)
        # A small one still has its place; the reserve is there.
        held.append(taken(guard, "small"))
        assert (state / "reserve").stat().st_size == 3 * MIB

        filler = fill(state)
        assert_turned_away(hand_in(guard, "refused"), 452)
        assert "nearly full" in troubles(guard)
        with page(guard) as monitor:
            told = monitor.get("/readyz")
            assert (told.status_code, told.json()["ready"]) == (503, False)
            assert "nearly full" in told.json()["reasons"][0]
        assert "nearly full" in guard.verb("doctor").stdout
        assert ask(guard, "cancel", held[0]) == "done"
        for message_id in held[1:]:
            assert ask(guard, "release", message_id) == "done"
        for message_id in held[1:]:
            wait_for_state(guard, message_id, "sent")
        # Nothing of this is lost by a crash on the full disk, nor by a start on it.
        kill(guard)
        guard.start()
        assert state_of(guard, held[0]) == "cancelled"
        assert {state_of(guard, message_id) for message_id in held[1:]} == {"sent"}
        assert len(sink.deliveries) == len(held) - 1

        filler.unlink()
        again = taken(guard, "again", padding=MIB)
        deadline = time.monotonic() + 20
        while troubles(guard) or not (state / "reserve").exists():
            assert time.monotonic() < deadline, guard.log()
            time.sleep(0.2)
        assert state_of(guard, again) == "held"
        assert guard.stop() == 0, guard.log()
        assert_no_python_in_the_log(guard)


async def test_only_what_is_vital_gets_the_reserve(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 6 * MIB):
        reserve = disk / "reserve"
        reserve.write_bytes(b"x" * MIB)

        def make_room() -> bool:
            reserve.unlink()
            asked.append(True)
            return len(asked) == 1

        asked: list[bool] = []
        database = await Database.open(disk / "queue.db", log=RecordingLog(), make_room=make_room)
        store = SqliteStore(database, reserve=0)
        held = await put(store, *numbered(40))
        fill(disk)
        with pytest.raises(StoreFull):
            # More than the log has room for.
            await store.add(new(numbered(41)[40], b"x" * 2 * MIB))
        assert reserve.exists()
        for one in held:
            assert await store.apply(cancelled(one))
        assert [(await store.find(one.id)).state.value for one in held] == ["cancelled"] * 40
        await database.close()
