"""Who leaves first, whatever lies below, where more is due than can be taken in hand."""

from datetime import timedelta

from mailguard.core.hold import HeldMessage
from mailguard.ports import Store
from tests.edge.store.samples import LATER, cancelled, claimed_ids, ids, numbered, put, settled


def of(sender: str, count: int) -> list[HeldMessage]:
    """So many that this one has sent."""
    return numbered(count, sender=sender)


class TurnsContract:
    """ports.Store: the oldest first, and each sender in turn."""

    async def test_nobody_waits_behind_all_of_somebody_elses(self, store: Store) -> None:
        many, one = of("a@corp.example", 90), of("b@corp.example", 1)
        await put(store, *many, *one)
        first = claimed_ids(await store.claim(LATER, 10))
        assert set(first) == {*ids(many[:9]), *ids(one)}
        rest = claimed_ids(await store.claim(LATER, 200))
        assert rest == ids(many[9:])

    async def test_each_has_as_many_turns_as_the_others(self, store: Store) -> None:
        held = {name: of(f"{name}@corp.example", count) for name, count in (("a", 20), ("b", 30), ("c", 90))}
        await put(store, *(one for some in held.values() for one in some))
        for start in range(0, 20, 5):
            claimed = claimed_ids(await store.claim(LATER, 15))
            assert set(claimed) == {one for some in held.values() for one in ids(some[start : start + 5])}

    async def test_each_is_claimed_once_however_small_the_portions(self, store: Store) -> None:
        held = [*of("a@corp.example", 40), *of("b@corp.example", 7), *of("c@corp.example", 13)]
        await put(store, *held)
        claimed: list[str] = []
        while portion := claimed_ids(await store.claim(LATER, 7)):
            claimed += portion
        assert sorted(claimed) == sorted(ids(held))

    async def test_what_changed_since_the_order_was_made_is_seen(self, store: Store) -> None:
        held = await put(store, *of("a@corp.example", 30))
        taken = await store.claim(LATER, 5)
        assert claimed_ids(taken) == ids(held[:5])
        assert await store.apply(cancelled(held[5]))
        assert await store.apply(settled(taken[0].message))
        late = await put(store, *of("b@corp.example", 1))
        assert claimed_ids(await store.claim(LATER, 4)) == ids(held[6:10])
        # A second later the order is made anew.
        assert late[0].id in claimed_ids(await store.claim(LATER + timedelta(seconds=1), 4))
