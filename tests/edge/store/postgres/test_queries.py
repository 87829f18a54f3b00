"""What is looked for is found by an index, however much there is."""

import re

import pytest

from mailguard.core.states import MessageState
from mailguard.edge.store.postgres import PostgresStore, SharedDatabase, queries
from mailguard.ports import Page
from tests.edge.store.samples import RecordingLog, numbered, put
from tests.making import NOW

_FILL = """
    INSERT INTO message (n, id, version, state, leaves_at, done_at, next_due, body_kept, sender_key, login,
        size, document)
    SELECT 1000000 + i, 'z' || lpad(i::text, 11, '0'), 0, CASE WHEN i % 2 = 0 THEN 'held' ELSE 'sent' END,
        CASE WHEN i % 2 = 0 THEN now() + interval '1 day' END, CASE WHEN i % 2 = 1 THEN now() END,
        CASE WHEN i % 2 = 0 THEN now() + interval '1 day' END, false, 'x' || i % 500,
        CASE WHEN i % 201 > 0 THEN 'x' || i % 400 END, 1, '[]'
    FROM generate_series(1, 20000) AS i
"""


@pytest.mark.parametrize("part", queries.PARTS, ids=["timed", "untimed", "finished"])
@pytest.mark.parametrize("whose", ["all", "sender", "login", "nobody"])
async def test_a_page_costs_no_look_at_the_whole_table(
    database: SharedDatabase, part: "queries.Part", whose: "queries.Whose"
) -> None:
    await database.read(lambda c: c.execute(_FILL))
    await database.read(lambda c: c.execute("ANALYZE message"))
    values: dict[str, object] = {"at": part.start[0], "n": part.start[1], "limit": 50, "who": "x7"}
    values |= {"states": ["held", "queued"], "state": "sent"}
    query = "EXPLAIN " + part.query(whose)
    asked = await database.read(lambda c: c.execute(query.encode(), values))
    plan = "\n".join(line for (line,) in await asked.fetchall())
    assert re.search(r"(using|on) message_((sender|login)_)?(open|untimed|done)", plan), plan
    assert "Seq Scan" not in plan
    # What one person has is sorted where it must be; all that there is is read in order.
    assert whose != "all" or "Sort" not in plan
    if part.key:
        index = {"all": "", "nobody": "login_"}.get(whose, f"{whose}_")
        assert re.search(f"message_{index}(open|done)", plan), plan


async def test_an_unreadable_row_leaves_no_hole_in_a_page(
    store: PostgresStore, database: SharedDatabase, log: RecordingLog
) -> None:
    held = await put(store, *numbered(6))
    await database.read(
        lambda c: c.execute(
            "UPDATE message SET document = 'x' WHERE id = ANY (%s)", ([held[1].id, held[2].id],)
        )
    )
    found = await store.page(Page(limit=3))
    assert [one.id for one in found] == [held[0].id, held[3].id, held[4].id]
    assert log.told("unreadable_message")


async def test_a_state_of_a_newer_version_is_not_counted(
    store: PostgresStore, database: SharedDatabase
) -> None:
    held = await put(store, *numbered(2))
    await database.read(
        lambda c: c.execute("UPDATE message SET state = 'beamed' WHERE id = %s", (held[0].id,))
    )
    assert (await store.census(NOW)).by_state == {MessageState.HELD: 1}
