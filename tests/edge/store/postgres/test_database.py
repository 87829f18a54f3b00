"""The shared database: together, in time, and never a guess about what was committed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.store.postgres import Lease, PostgresStore, SharedDatabase, faults
from mailguard.edge.store.postgres import database as module
from mailguard.edge.store.postgres.database import Connection
from tests import postgres_server
from tests.edge.store.postgres.proxy import Proxy, between
from tests.edge.store.samples import CONTENT, RecordingLog, new, numbered
from tests.making import message
from tests.postgres_server import Server


@contextlib.asynccontextmanager
async def opened(url: str, log: RecordingLog) -> AsyncIterator[PostgresStore]:
    """A guard's store."""
    database = await SharedDatabase.open(url, log=log)
    store = PostgresStore(database, lease=Lease(database, name="a"))
    try:
        yield store
    finally:
        await store.close()


async def ones(connection: Connection, jobs: Sequence[int]) -> list[int]:
    await connection.execute("SELECT 1")
    return [len(jobs)] * len(jobs)


async def test_what_waits_together_is_one_transaction(database: SharedDatabase) -> None:
    counts = await asyncio.gather(*(database.write(ones, n) for n in range(50)))
    # The first is alone, those that came meanwhile are together.
    assert max(counts) > 10


async def test_what_is_small_does_not_wait_for_what_is_large(database: SharedDatabase) -> None:
    going_on = asyncio.Event()

    async def waits(connection: Connection, jobs: Sequence[str]) -> list[str]:
        if "large" in jobs:
            await going_on.wait()
        return list(jobs)

    large = asyncio.create_task(database.write(waits, "large", weight=module.LIGHT + 1))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(database.write(waits, "small") for _ in range(5))) == ["small"] * 5
    assert not large.done()
    going_on.set()
    assert await large == "large"


async def test_what_is_asked_together_is_one_question(database: SharedDatabase) -> None:
    counts = await asyncio.gather(*(database.look_up(ones, n) for n in range(50)))
    assert max(counts) > 10


async def test_a_question_that_fails_is_told_to_all_who_asked(database: SharedDatabase) -> None:
    async def odd(connection: Connection, jobs: Sequence[int]) -> list[int]:
        await connection.execute("SELECT nonsense")
        return list(jobs)

    asked = [database.look_up(odd, n) for n in range(3)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in told] == [StoreError] * 3
    assert await database.look_up(ones, 1) == 1


async def test_a_change_that_fails_behind_the_last_question_undoes_the_transaction(
    database: SharedDatabase,
) -> None:
    """Nobody fetches its result: it is known with that of the COMMIT."""

    async def spoilt(connection: Connection, jobs: Sequence[str]) -> list[str]:
        for job in jobs:
            await connection.execute("INSERT INTO preference (person) VALUES (%s)", (job,))
        return list(jobs)

    results = await asyncio.gather(
        *(database.write(spoilt, job) for job in ("a", "b", "b", "c")), return_exceptions=True
    )
    assert [type(one) for one in results] == [str, str, StoreError, str]
    asked = await database.read(lambda c: c.execute("SELECT person FROM preference ORDER BY person"))
    assert await asked.fetchall() == [("a",), ("b",), ("c",)]


async def test_every_commit_is_synced(database: SharedDatabase) -> None:
    asked = await database.read(
        lambda c: c.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('statement_timeout')"
        )
    )
    assert await asked.fetchone() == ("on", f"{module.STATEMENT_SECONDS}s")


async def test_a_database_that_is_not_there_is_told_in_words(log: RecordingLog, server: Server) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        await SharedDatabase.open("postgresql://guard:hunter2@127.0.0.1:1/mail", log=log)
    with pytest.raises(StoreError) as told:
        await SharedDatabase.open(server.url.replace("/postgres?", "/nowhere?"), log=log)
    assert "nowhere" in str(told.value)
    assert "hunter2" not in faults.shown("postgresql://guard:hunter2@127.0.0.1:1/mail")
    assert faults.shown("postgresql://guard:hunter2@db:1/mail") == "db:1/mail"


async def test_it_goes_on_after_the_server_was_away(log: RecordingLog) -> None:
    with postgres_server.running() as server:
        async with opened(server.database(), log) as store:
            held = numbered(3)
            await store.add(new(held[0]))
            await asyncio.to_thread(server.stop, "immediate")
            with pytest.raises(StoreError):
                await store.add(new(held[1]))
            assert store._database.told() is not None
            await asyncio.to_thread(server.start)
            async with asyncio.timeout(30):
                while True:
                    try:
                        await store.add(new(held[2]))
                        break
                    except StoreError:
                        await asyncio.sleep(0.1)
            assert store._database.told() is None
            assert await store.content(held[0].id) == CONTENT


async def test_after_a_restart_nobody_notices_the_dead_connections(log: RecordingLog) -> None:
    with postgres_server.running() as server:
        async with opened(server.database(), log) as store:
            held = numbered(5)
            await asyncio.gather(*(store.add(new(one)) for one in held))
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            assert await store.content(held[0].id) == CONTENT
            await store.add(new(message(id="z7fm2xqp9d3t")))


@pytest.mark.parametrize("answered", [False, True])
async def test_a_commit_whose_answer_is_lost_is_looked_up(
    url: str, log: RecordingLog, answered: bool
) -> None:
    """The connection breaks when COMMIT is sent, or when it is answered: what is told is what is true."""
    with between(url) as proxy:
        async with opened(proxy.url, log) as store:
            await store.add(new(numbered(1)[0]))
            proxy.cut_at = Proxy.ANSWER if answered else Proxy.COMMIT
            held = message(id="z7fm2xqp9d3t", size=len(CONTENT))
            # Whether it was committed or not, it is there once, because a lost one is done again.
            await store.add(new(held))
            assert proxy.cuts == 1
            assert await store.find(held.id) == held
            assert log.told("commit_looked_up")


async def test_where_nobody_can_tell_the_answer_is_not_now(
    url: str, log: RecordingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESOLVE_SECONDS", 0.5)
    with between(url) as proxy:
        async with opened(proxy.url, log) as store:
            await store.add(new(numbered(1)[0]))
            proxy.cut_at, proxy.closed = Proxy.ANSWER, True
            with pytest.raises(StoreError, match="nobody can tell yet"):
                await store.add(new(message(id="z7fm2xqp9d3t")))
            proxy.closed = False
            # It was committed; who tries again with a mark hears of the first.
            async with asyncio.timeout(20):
                while True:
                    with contextlib.suppress(StoreError):
                        assert (await store.find("z7f")).id == "z7fm2xqp9d3t"
                        break
                    await asyncio.sleep(0.1)


async def test_what_the_server_is_still_at_counts_as_neither(url: str, database: SharedDatabase) -> None:
    """Of the latest transactions, too, behind which the server has finished none."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        number, life = await module._begun(await module._begin(other))
        assert await database.read(module._status, number, life) == "in progress"
        await other.execute("COMMIT")
    assert await database.read(module._status, number, life) == "committed"
    # Of a server that was lost with it.
    assert await database.read(module._status, str(int(number) + 1000), life) == "aborted"


async def test_a_number_that_a_crash_has_given_to_another_says_nothing(log: RecordingLog) -> None:
    with postgres_server.running() as server:
        async with opened(server.database(), log) as store:
            database = store._database
            other = await psycopg.AsyncConnection.connect(server.url, autocommit=True)
            number, life = await module._begun(await module._begin(other))
            await asyncio.to_thread(server.stop, "immediate")
            await other.close()
            await asyncio.to_thread(server.start)
            async with asyncio.timeout(60):
                while True:
                    with contextlib.suppress(StoreError):
                        asked = await database.read(_numbered)
                        if asked > int(number):
                            break
            assert await database.read(_said, number) == "committed"
            assert await database.read(module._status, number, life) == module.UNKNOWN


async def _numbered(connection: Connection) -> int:
    row = await (await connection.execute("SELECT pg_current_xact_id()::text")).fetchone()
    return int(row[0]) if row else 0


async def _said(connection: Connection, number: str) -> str:
    row = await (await connection.execute("SELECT pg_xact_status(%s::xid8)", (number,))).fetchone()
    return str(row[0]) if row else ""


async def test_only_one_is_alone(url: str, log: RecordingLog) -> None:
    one, two = [await SharedDatabase.open(url, log=log) for _ in range(2)]
    inside: list[str] = []

    async def enter(database: SharedDatabase, name: str) -> None:
        async with database.alone("test"):
            inside.append(name)
            await asyncio.sleep(0.05)
            inside.append(name)

    await asyncio.gather(enter(one, "a"), enter(two, "b"), enter(one, "c"))
    assert inside[0::2] == inside[1::2]
    await one.close()
    await two.close()


def test_what_errors_mean() -> None:
    assert faults.is_lost(psycopg.OperationalError("server closed the connection unexpectedly"))
    assert not faults.is_lost(psycopg.errors.UniqueViolation())
    assert faults.is_transient(psycopg.errors.DeadlockDetected())
    full = faults.translated(psycopg.errors.DiskFull(), "db/mail")
    assert "no room" in str(full)
    standby = faults.translated(psycopg.errors.ReadOnlySqlTransaction(), "db/mail")
    assert "standby" in str(standby)
    refused = faults.translated(psycopg.errors.InsufficientPrivilege(), "db/mail")
    assert "does not let mailguard in" in str(refused)
