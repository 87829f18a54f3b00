"""Who leaves first where more is due than can be taken in hand."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from mailguard.core.hold import Claimed, HeldMessage
from mailguard.edge.store import Database, SqliteStore
from tests.edge.store.samples import LATER, RecordingLog, cancelled, ids, numbered, put, settled


async def opened(directory: Path) -> SqliteStore:
    return SqliteStore(await Database.open(directory / "queue.db", log=RecordingLog()))


def of(sender: str, count: int) -> list[HeldMessage]:
    return numbered(count, sender=sender)


def claimed_ids(claimed: Sequence[Claimed]) -> list[str]:
    return ids([one.message for one in claimed])


async def test_nobody_waits_behind_all_of_somebody_elses(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    many, one = of("a@corp.example", 90), of("b@corp.example", 1)
    await put(store, *many, *one)
    first = claimed_ids(await store.claim(LATER, 10))
    assert set(first) == {*ids(many[:9]), *ids(one)}
    rest = claimed_ids(await store.claim(LATER, 200))
    assert rest == ids(many[9:])
    await store.close()


async def test_each_is_claimed_once_however_small_the_portions(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    held = [*of("a@corp.example", 40), *of("b@corp.example", 7), *of("c@corp.example", 13)]
    await put(store, *held)
    claimed: list[str] = []
    while portion := claimed_ids(await store.claim(LATER, 7)):
        claimed += portion
    assert sorted(claimed) == sorted(ids(held))
    await store.close()


async def test_what_changed_since_the_order_was_made_is_seen(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    held = await put(store, *of("a@corp.example", 30))
    taken = await store.claim(LATER, 5)
    assert claimed_ids(taken) == ids(held[:5])
    assert await store.apply(cancelled(held[5]))
    assert await store.apply(settled(taken[0].message))
    late = await put(store, *of("b@corp.example", 1))
    assert claimed_ids(await store.claim(LATER, 4)) == ids(held[6:10])
    # A second later the order is made anew.
    assert late[0].id in claimed_ids(await store.claim(LATER + timedelta(seconds=1), 4))
    await store.close()
