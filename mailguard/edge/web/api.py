"""The JSON interface: the verbs of the command line over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends

from mailguard.edge.web.parts import Json, Parts, Person
from mailguard.edge.web.people import person


def router(parts: Parts) -> APIRouter:
    """`/api/v1`."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/messages")
    async def messages(who: Annotated[Person, Depends(person)]) -> list[Json]:
        answer = await parts.ask({"verb": "queue"}, who.actor)
        return cast("list[Json]", answer["messages"])

    return routes
