"""In whose language, and by whose wish."""

import asyncio
from pathlib import Path

import pytest

from mailguard.core.account import Account
from mailguard.core.policy import Notify
from mailguard.core.preference import Preference
from mailguard.flow import speaking as module
from mailguard.flow.speaking import Speaking
from tests.flow.parts import Parts

FRENCH = Preference(language="fr")


async def test_the_language_is_the_installations_unless_somebody_chose(parts: Parts) -> None:
    speaking = parts.writing.speaking
    assert (await speaking.to("anne@corp.example", "anne")).language == "en"
    await parts.preferences.set("anne", FRENCH)
    assert (await speaking.to("anne@corp.example", "anne")).language == "fr"
    # The login counts, not the address.
    assert (await speaking.to("anne@corp.example", "bob")).language == "en"


async def test_an_approver_is_known_by_the_address_of_a_login(parts: Parts) -> None:
    await parts.preferences.set("bob", FRENCH)
    speaking = parts.writing.speaking
    assert (await speaking.to("Bob@corp.example")).language == "fr"
    parts.writing.logins.known["zoe"] = Account(login="zoe", addresses=("bob@corp.example",))
    await parts.preferences.set("zoe", Preference(notify=Notify.NEVER))
    assert (await speaking.to("bob@corp.example")).language == "fr"
    await parts.preferences.set("bob@corp.example", Preference(language="en"))
    assert (await speaking.to("bob@corp.example")).language == "en"


async def test_a_slow_store_keeps_nobody_waiting(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late:
        async def of(self, person: str) -> Preference:
            await asyncio.Event().wait()
            return FRENCH

        async def set(self, person: str, preference: Preference) -> None:
            raise NotImplementedError

    monkeypatch.setattr(module, "PATIENCE", 0.01)
    late = Speaking(
        preferences=Late(),
        people=parts.writing.people,
        hostname="guard.corp.example",
        language="en",
        local=lambda at: at,
    )
    assert (await late.to("anne@corp.example", "anne")).language == "en"


async def test_times_are_those_of_its_clock(parts: Parts, tmp_path: Path) -> None:
    speaker = await parts.writing.speaking.to("anne@corp.example", "anne")
    assert speaker.local(parts.clock.now()) == parts.clock.now()
    assert speaker.hostname == "guard.corp.example"
