"""How the guard speaks to one person: what they chose, else what holds for the whole installation."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from mailguard.core.notice import Speaker
from mailguard.core.preference import NOTHING, Preference, person
from mailguard.flow.in_time import in_time
from mailguard.flow.people import People
from mailguard.ports import Preferences

# Seconds; a client waits for the answer to its last dot.
PATIENCE = 0.5


class Speaking:
    """`language` is that of the installation; `local` turns a time into that of its clock."""

    def __init__(
        self,
        *,
        preferences: Preferences,
        people: People,
        hostname: str,
        language: str,
        local: Callable[[datetime], datetime],
    ) -> None:
        self._preferences = preferences
        self._people = people
        self._hostname = hostname
        self._language = language
        self._local = local

    async def choice(self, address: str, user: str | None = None) -> Preference:
        """What somebody chose: by the login or, without one, by the address. Where a slow store does not
        tell in time, it is what holds for everybody. Raises StoreError."""
        end = asyncio.get_running_loop().time() + PATIENCE
        return await in_time(end, self._choice(address, user)) or NOTHING

    async def _choice(self, address: str, user: str | None) -> Preference:
        chosen = await self._preferences.of(person(user, address))
        if user is not None or chosen != NOTHING:
            return chosen
        # Of several who share the address, the first who chose something.
        for login in sorted(await self._people.logins_of(address)):
            chosen = await self._preferences.of(login)
            if chosen != NOTHING:
                break
        return chosen

    async def to(self, address: str, user: str | None = None) -> Speaker:
        """How to speak to them. Raises StoreError."""
        chosen = await self.choice(address, user)
        return Speaker(hostname=self._hostname, language=chosen.language or self._language, local=self._local)
