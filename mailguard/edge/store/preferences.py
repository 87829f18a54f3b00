"""ports.Preferences on SQLite: a small table, read once.

A queue belongs to one guard, so what was read stays true until this guard changes it, and the road of the
mail never waits for it.
"""

import sqlite3
from collections.abc import Sequence

from mailguard.core import address
from mailguard.core.policy import Notify
from mailguard.core.preference import LANGUAGES, NOTHING, Preference
from mailguard.core.value import dataclass
from mailguard.edge.store.sqlite import Database


@dataclass(frozen=True, slots=True)
class _Choice:
    person: str
    preference: Preference


class SqlitePreferences:
    """What people have chosen; it shares the queue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Preference] | None = None

    async def of(self, person: str) -> Preference:
        """What this person has chosen. Raises StoreError."""
        return (await self._all()).get(key_of(person), NOTHING)

    async def set(self, person: str, preference: Preference) -> None:
        """From now on this. Raises StoreError."""
        await self._database.write(_set_all, _Choice(key_of(person), preference))
        self._known = {**await self._all(), key_of(person): preference}

    async def _all(self) -> dict[str, Preference]:
        if self._known is None:
            found = await self._database.read(_read_all)
            # What was set while this was read is newer.
            self._known = found if self._known is None else self._known
        return self._known


def key_of(person: str) -> str:
    """By what a person is found: a login as it is written, an address in its normal form."""
    named = address.normal(person) if "@" in person else person
    return named.encode("utf-8", "replace").decode("utf-8")


def _read_all(connection: sqlite3.Connection) -> dict[str, Preference]:
    found = connection.execute("SELECT person, language, notify FROM preference").fetchall()
    return {person: preference_of(language, notify) for person, language, notify in found}


def preference_of(language: str | None, notify: str | None) -> Preference:
    """What a row tells. What a newer guard wrote, and this one does not know, is no choice here."""
    return Preference(
        language=language if language in LANGUAGES else None,
        notify=Notify(notify) if notify in list(Notify) else None,
    )


def _set_all(connection: sqlite3.Connection, choices: Sequence[_Choice]) -> list[None]:
    for choice in choices:
        chosen = choice.preference
        if chosen == Preference():
            connection.execute("DELETE FROM preference WHERE person = ?", (choice.person,))
            continue
        notify = None if chosen.notify is None else chosen.notify.value
        connection.execute(
            "INSERT OR REPLACE INTO preference (person, language, notify) VALUES (?, ?, ?)",
            (choice.person, chosen.language, notify),
        )
    return [None] * len(choices)
