"""ports.Preferences on PostgreSQL: asked each time, because another guard may have been told otherwise; once
for all who ask at the same time, because every message asks."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.preference import Preference
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.preferences import key_of, preference_of
from mailguard.edge.store.text import storable

Connection = AsyncConnection[tuple[Any, ...]]

_SET = """
    INSERT INTO preference (person, language, notify) VALUES (%s, %s, %s)
    ON CONFLICT (person) DO UPDATE SET language = excluded.language, notify = excluded.notify
"""


class PostgresPreferences:
    """What people have chosen, at whichever guard."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database

    async def of(self, person: str) -> Preference:
        """What this person has chosen. Raises StoreError."""
        return await self._database.look_up(_of_all, storable(key_of(person)))

    async def set(self, person: str, preference: Preference) -> None:
        """From now on this. Raises StoreError."""
        await self._database.write(_set_all, (storable(key_of(person)), preference))


async def _of_all(connection: Connection, people: Sequence[str]) -> list[Preference]:
    asked = await connection.execute(
        "SELECT person, language, notify FROM preference WHERE person = ANY (%s)", (list(set(people)),)
    )
    found = {person: preference_of(*chosen) for person, *chosen in await asked.fetchall()}
    return [found.get(person, Preference()) for person in people]


async def _set_all(connection: Connection, choices: Sequence[tuple[str, Preference]]) -> list[None]:
    for person, chosen in choices:
        if chosen == Preference():
            await connection.execute("DELETE FROM preference WHERE person = %s", (person,))
        else:
            notify = None if chosen.notify is None else chosen.notify.value
            await connection.execute(_SET, (person, chosen.language, notify))
    return [None] * len(choices)
