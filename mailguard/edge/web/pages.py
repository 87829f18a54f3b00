"""The page: a person's own queue, and an admin's whole one."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from mailguard.edge.web.parts import Parts, Person
from mailguard.edge.web.people import person
from mailguard.edge.web.rendering import rendered


def router(parts: Parts) -> APIRouter:
    """All pages."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/", response_class=HTMLResponse)
    async def queue(who: Annotated[Person, Depends(person)]) -> HTMLResponse:
        answer = await parts.ask({"verb": "queue"}, who.actor)
        return rendered("plain_queue.html", language=who.language, person=who, messages=answer["messages"])

    return pages
