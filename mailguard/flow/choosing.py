"""The front desk's verbs for what people choose for themselves: `preferences` and `prefer`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from mailguard.core import view
from mailguard.core.actor import Actor
from mailguard.core.policy import Notify
from mailguard.core.preference import LANGUAGES, Preference
from mailguard.core.told import Told
from mailguard.ports import Preferences

Json = dict[str, object]
Verb = Callable[[Mapping[str, object], Actor], Awaitable[Json]]


class Choosing:
    """Everybody chooses for themselves, an admin too, and for nobody else."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """For the front desk."""
        return {"preferences": self._preferences_of, "prefer": self._prefer}

    async def _preferences_of(self, request: Mapping[str, object], actor: Actor) -> Json:
        """What the asker has chosen; null is what holds for everybody."""
        if actor.account is None:
            return _told(Told.REFUSED, "only somebody who has logged in can choose for themselves")
        chosen = await self._preferences.of(actor.account.login)
        return {**_told(Told.DONE, ""), "preferences": view.preference(chosen)}

    async def _prefer(self, request: Mapping[str, object], actor: Actor) -> Json:
        if actor.account is None:
            return await self._preferences_of(request, actor)
        for key, values in (("language", LANGUAGES), ("notify", list(Notify))):
            if wrong := _wrong(request.get(key), key, values):
                return _told(Told.REFUSED, wrong)
        language, notify = request.get("language"), request.get("notify")
        chosen = Preference(
            language=language if isinstance(language, str) else None,
            notify=Notify(notify) if isinstance(notify, str) else None,
        )
        await self._preferences.set(actor.account.login, chosen)
        return {**_told(Told.DONE, "That is kept."), "preferences": view.preference(chosen)}


def _wrong(value: object, key: str, values: Sequence[str]) -> str:
    if value is None or (isinstance(value, str) and value in values):
        return ""
    return f"{value!r} cannot be the {key}; expected {', '.join(values)}, or null"


def _told(told: Told, text: str) -> Json:
    return {"told": told.value, "text": text}
