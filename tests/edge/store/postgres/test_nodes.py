"""Who the guards of a queue are, how it stands with each, and who has other rules."""

from datetime import UTC, datetime, timedelta
from functools import partial

from mailguard.edge.store.postgres import Lease, Nodes, PostgresStore, SharedDatabase
from tests.edge.store.postgres.leases import expire, guards
from tests.edge.store.samples import LATER, RecordingLog, numbered, put, settled
from tests.making import NOW


async def test_who_has_other_rules_is_named(database: SharedDatabase) -> None:
    leases = [Lease(database, name=f"guard{n}", rules=partial("rules{}".format, n % 2)) for n in range(3)]
    nodes = Nodes(database, leases[0])
    for lease in leases[::2]:
        await lease.owner()
    await nodes.look(NOW)
    assert nodes.told() is None
    await leases[1].owner()
    await nodes.look(NOW)
    told = nodes.told()
    assert told is not None
    assert "guard1" in told
    assert "guard2" not in told
    for lease in leases:
        await lease.end()
    await nodes.look(NOW)
    assert nodes.told() is None


async def test_each_guard_is_one_with_what_it_has_in_hand(url: str, log: RecordingLog) -> None:
    async with guards(url, log, 3) as (one, two, idle):
        assert await one.nodes() == []
        await put(one, *numbered(6))
        [mine, *_] = await one.claim(LATER, 3)
        await two.claim(LATER, 2)
        assert [(node.name, node.in_hand) for node in await idle.nodes()] == [("guard0", 3), ("guard1", 2)]
        assert await one.apply(settled(mine.message))
        # Who has had nothing to send yet is one of them as soon as it looks.
        await Nodes(idle._database, idle._lease).look(NOW)
        found = await two.nodes()
        assert [(node.name, node.in_hand) for node in found] == [("guard0", 2), ("guard1", 2), ("guard2", 0)]
        now = datetime.now(UTC)
        for node in found:
            assert node.alive
            assert node.since is not None
            assert now - timedelta(seconds=10) < node.since <= now + timedelta(seconds=1)
            assert node.since <= node.heard <= now + timedelta(seconds=1)
            # By the server's socket.
            assert node.address is None
        await idle.close()
        assert [node.name for node in await two.nodes()] == ["guard0", "guard1"]


async def test_one_that_was_not_heard_of_is_shown_and_one_that_went_on_is_one(
    url: str, log: RecordingLog, database: SharedDatabase
) -> None:
    async with guards(url, log, 2) as (one, two):
        await put(one, *numbered(3))
        await one.claim(LATER, 1)
        await two.claim(LATER, 1)
        [first, _] = await one.nodes()
        await expire(database)
        assert [node.alive for node in await one.nodes()] == [False, False]
        # It goes on under a new lease, and is the guard that it was.
        await one.claim(LATER, 1)
        [again, gone] = await one.nodes()
        assert (again.name, again.alive, again.in_hand, again.since) == ("guard0", True, 2, first.since)
        assert (gone.name, gone.alive, gone.in_hand) == ("guard1", False, 1)
        assert gone.heard < again.heard


async def test_a_guard_of_the_version_before_is_shown_with_what_it_tells(
    store: PostgresStore, database: SharedDatabase
) -> None:
    await database.read(
        lambda c: c.execute(
            """
            INSERT INTO node (id, name, lease_until, rules)
            VALUES ('x', 'old:1', clock_timestamp() + interval '15 seconds', '')
            """
        )
    )
    [node] = await store.nodes()
    assert (node.name, node.alive, node.in_hand) == ("old:1", True, 0)
    assert abs(node.heard - datetime.now(UTC)) < timedelta(seconds=5)
