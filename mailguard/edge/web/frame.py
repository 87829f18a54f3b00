"""What every page has around its middle: the tabs, the time, whose page it is, and what was just done."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from starlette.responses import HTMLResponse

from mailguard.core.value import dataclass
from mailguard.edge.web.parts import Json, Parts, Person
from mailguard.edge.web.people import next_place
from mailguard.edge.web.rendering import rendered
from mailguard.edge.web.showing import Reader
from mailguard.edge.web.telling import Told, told_of
from mailguard.edge.web.words import Words, speaking

# What an address says of what was just done; it goes when the page goes elsewhere.
DID = ("did", "id", "told", "to", "done")

_TABS = (("queue", "/"), ("history", "/history"), ("approvals", "/approvals"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """`place` is where a form comes back to, `up` where a way back leads; `now` is the time in milliseconds
    since 1970, `zone` the name of the clock that times are written by; `waiting` counts approvals."""

    tab: str
    tabs: tuple[tuple[str, str], ...]
    place: str
    up: str
    csrf: str
    name: str
    now: int
    zone: str
    waiting: int


class Pages:
    """Makes pages for whoever is signed in."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def words(self, language: str) -> Words:
        """The words of a language; English for one that we do not speak."""
        return speaking(language)

    def reader(self, who: Person) -> Reader:
        """How this person reads."""
        return Reader(words=self.words(who.language), now=self.parts.clock.now(), local=local)

    async def ask(self, who: Person, verb: str, **request: object) -> Json:
        """A question to the front desk, answered in this person's language."""
        return await self.parts.ask({"verb": verb, "language": who.language, **request}, who.actor)

    async def shown(
        self, request: Request, who: Person, template: str, tab: str, status: int = 200, **values: object
    ) -> HTMLResponse:
        """A page. `up` among the values is where its way back leads."""
        say = self.words(who.language)
        values.setdefault("told", await self.told(request, who))
        frame = await self._frame(request, who, tab, str(values.pop("up", "/")), values)
        return rendered(template, status, language=say.language, t=say, frame=frame, **values)

    async def told(self, request: Request, who: Person) -> Told | None:
        """What was just done, as this address says, held against how the message stands."""
        asked, message = request.query_params, None
        if not asked.get("did"):
            return None
        if asked.get("id"):
            answer = await self.ask(who, "show", id=asked["id"])
            message = answer.get("message")
        return told_of(asked, message if isinstance(message, dict) else None, self.reader(who))

    async def trouble(self, request: Request, who: Person, status: int) -> HTMLResponse:
        """What is told where something is not there, not theirs, or not now."""
        say = self.words(who.language)
        title, text = say(f"trouble.{status}"), say(f"trouble.{status}_text")
        return await self.shown(request, who, "trouble.html", "", status, title=title, text=text, told=None)

    async def _frame(
        self, request: Request, who: Person, tab: str, up: str, values: Mapping[str, object]
    ) -> Frame:
        now = self.parts.clock.now()
        admin = (("admin", "/admin"),) if who.actor.admin else ()
        if tab == "approvals" and isinstance(values.get("cards"), list):
            waiting = len(list(values["cards"]))  # type: ignore[call-overload]
        else:
            found = (await self.ask(who, "approvals", brief=True)).get("ids")
            waiting = len(found) if isinstance(found, list) else 0
        return Frame(
            tab=tab,
            tabs=(*_TABS, *admin, ("you", "/preferences")),
            place=without_did(str(request.url.path), request.url.query),
            up=up,
            csrf=who.csrf,
            name=who.actor.name,
            now=int(now.timestamp() * 1000),
            zone=local(now).tzname() or "UTC",
            waiting=waiting,
        )


def local(at: datetime) -> datetime:
    """A time by the clock of this machine."""
    return at.astimezone()


def without_did(path: str, query: str) -> str:
    """An address of ours without what it says of what was just done."""
    kept = [(key, value) for key, value in parse_qsl(query) if key not in DID]
    return f"{path}?{urlencode(kept)}" if kept else path


def after_doing(back: str, **did: str) -> str:
    """Where to go on after something was done, with what was done."""
    parts = urlsplit(next_place(back))
    query = dict(parse_qsl(parts.query))
    kept = {key: value for key, value in query.items() if key not in DID}
    return f"{parts.path}?{urlencode({**kept, **did})}"
