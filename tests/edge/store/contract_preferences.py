"""What every keeper of preferences must do, whatever lies below."""

from mailguard.core.policy import Notify
from mailguard.core.preference import Preference
from mailguard.ports import Preferences

FRENCH = Preference(language="fr")
SILENT = Preference(notify=Notify.NEVER)


class PreferencesContract:
    """ports.Preferences."""

    async def test_nothing_is_chosen_at_first(self, preferences: Preferences) -> None:
        assert await preferences.of("anne") == Preference()

    async def test_each_has_their_own(self, preferences: Preferences) -> None:
        await preferences.set("anne", FRENCH)
        await preferences.set("bob", SILENT)
        assert await preferences.of("anne") == FRENCH
        assert await preferences.of("bob") == SILENT
        assert await preferences.of("carol") == Preference()

    async def test_the_last_word_counts_and_may_be_taken_back(self, preferences: Preferences) -> None:
        for chosen in (FRENCH, Preference(language="en", notify=Notify.ALWAYS), Preference(), SILENT):
            await preferences.set("anne", chosen)
            assert await preferences.of("anne") == chosen

    async def test_an_address_is_known_in_every_spelling_and_a_login_in_one(
        self, preferences: Preferences
    ) -> None:
        await preferences.set("Anne@CORP.example", FRENCH)
        assert await preferences.of("anne@corp.example") == FRENCH
        await preferences.set("Bob", SILENT)
        assert await preferences.of("bob") == Preference()

    async def test_a_name_may_be_anything(self, preferences: Preferences) -> None:
        for odd in ("", "é", "a'; DROP TABLE preference; --", "\udce9", "x" * 500):
            await preferences.set(odd, FRENCH)
            assert await preferences.of(odd) == FRENCH
