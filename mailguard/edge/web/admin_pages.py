"""The pages of an admin: everybody's queue, what is done to many at once, the rules, and how the guard is."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailguard.core import wording
from mailguard.core.checks import CHECKS
from mailguard.core.states import MessageState
from mailguard.core.value import dataclass
from mailguard.edge.web.acting import TOGETHER, act_on_many
from mailguard.edge.web.frame import Pages, after_doing
from mailguard.edge.web.parts import Json, Person
from mailguard.edge.web.people import person
from mailguard.edge.web.showing import card, moment

PAGE = 50
ANY = "any"
Who = Annotated[Person, Depends(person)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the search form asked for."""

    q: str = ""
    state: str = ""
    rule: str = ""
    finding: str = ""

    @property
    def query(self) -> str:
        """The same for an address."""
        given = {"q": self.q, "state": self.state, "rule": self.rule, "finding": self.finding}
        return urlencode({key: value for key, value in given.items() if value})

    @property
    def states(self) -> list[str]:
        """The states to look in; none are those that are not finished."""
        if self.state == ANY:
            return [one.value for one in MessageState]
        return [self.state] if self.state in set(MessageState) else []


class AdminPages:
    """`/admin` and below; for everybody else a page that says whose it is."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def router(self) -> APIRouter:
        """The routes."""
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/admin", self.queue, methods=["GET"])
        routes.add_api_route("/admin/many", self.many, methods=["POST"])
        routes.add_api_route("/admin/rules", self.rules, methods=["GET"])
        routes.add_api_route("/admin/reload", self.reload, methods=["POST"])
        routes.add_api_route("/admin/health", self.health, methods=["GET"])
        return routes

    async def queue(
        self,
        request: Request,
        who: Who,
        q: str = "",
        state: str = "",
        rule: str = "",
        finding: str = "",
        after: str = "",
    ) -> HTMLResponse:
        """Everybody's queue."""
        if not who.actor.admin:
            return await self._pages.trouble(request, who, 403)
        asked = Asked(q=q, state=state, rule=rule, finding=finding)
        wanted: Json = {"search": q, "states": asked.states, "rule": rule, "finding": finding}
        answer = await self._pages.ask(who, "list", everybody=True, limit=PAGE, after=after, **wanted)
        reader = self._pages.reader(who)
        status = await self._status(who)
        return await self._pages.shown(
            request,
            who,
            "admin.html",
            "admin",
            cards=[card(one, reader) for one in _listed(answer.get("messages"))],
            more=answer.get("after") or "",
            after=after,
            asked=asked,
            query=asked.query,
            states=[(one.value, wording.state(one, who.language)) for one in MessageState],
            rules=status.get("rules", []),
            findings=sorted(check.code for check in CHECKS),
            total=sum(count for name, count in _counts(status) if not MessageState(name).finished),
        )

    async def many(self, request: Request, who: Who) -> Response:
        """One act on all that were chosen."""
        if not who.actor.admin:
            return await self._pages.trouble(request, who, 403)
        form = await request.form()
        verb, ids = str(form.get("verb", "")), [str(one) for one in form.getlist("id")]
        counts = await act_on_many(self._pages, who, verb, ids) if verb in TOGETHER else {}
        done = "-".join(f"{word}.{count}" for word, count in sorted(counts.items()))
        where = after_doing(str(form.get("back", "/admin")), did="many", to=verb, done=done)
        return RedirectResponse(where, 303)

    async def rules(self, request: Request, who: Who) -> HTMLResponse:
        """The rules in force, and what is wrong with the file on the disk."""
        if not who.actor.admin:
            return await self._pages.trouble(request, who, 403)
        status = await self._status(who)
        return await self._pages.shown(request, who, "rules.html", "admin", guard=status)

    async def reload(self, request: Request, who: Who) -> Response:
        """Read the rules again."""
        if not who.actor.admin:
            return await self._pages.trouble(request, who, 403)
        answer = await self._pages.ask(who, "reload")
        did = {"did": "reloaded"} if answer["told"] == "done" else {"did": "reload", "told": "not_reloaded"}
        return RedirectResponse(after_doing("/admin/rules", **did), 303)

    async def health(self, request: Request, who: Who) -> HTMLResponse:
        """How the guard is."""
        if not who.actor.admin:
            return await self._pages.trouble(request, who, 403)
        status, reader = await self._status(who), self._pages.reader(who)
        troubles = [*_texts(status.get("troubles")), *_texts(status.get("reload_errors"))]
        return await self._pages.shown(
            request,
            who,
            "health.html",
            "admin",
            guard=status,
            troubles=troubles,
            counts=[
                (reader.words.capital(wording.state(MessageState(name), who.language)), count)
                for name, count in _counts(status)
            ],
            oldest=moment(_text(status.get("oldest_overdue")), reader),
        )

    async def _status(self, who: Person) -> dict[str, Any]:
        status = (await self._pages.ask(who, "status")).get("status")
        empty: dict[str, Any] = {"rules": [], "internal_domains": [], "reload_errors": [], "overdue": 0}
        return {**empty, **(status if isinstance(status, dict) else {})}


def _counts(status: dict[str, Any]) -> list[tuple[str, int]]:
    return list(status.get("messages", {}).items())


def _listed(value: object) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
