"""The table of who may do what (tests/permissions.py), asked of the front desk."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN, Actor
from mailguard.core.states import MessageState
from mailguard.edge.config import parse_rules
from mailguard.edge.store import SqliteOutbox, SqliteTokens
from mailguard.flow.choosing import Choosing
from mailguard.flow.desk import Desk, Verb
from mailguard.flow.desk_tokens import TokenVerbs
from mailguard.flow.edit_again import EditAgain
from mailguard.flow.keyring import Keyring
from mailguard.flow.listing import Listing
from mailguard.flow.notifying import Notifying
from mailguard.flow.people import People
from mailguard.flow.replay import Replay
from mailguard.ports.access import Scope
from tests import permissions
from tests.flow.parts import Parts, opened
from tests.permissions import CASES, LISTED, ROLES, Case

APPROVED = b"From: info@corp.example\r\nTo: %s\r\nSubject: Results\r\n\r\nNot before Monday.\r\n"
BLIND = "blind@customer.example"


class World:
    """Everybody of the table, and the front desk."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        logins = parts.writing.logins
        logins.known = {
            login: Account(login=login, addresses=addresses)
            for login, addresses in permissions.LOGINS.items()
        }
        parts.rules.current = parse_rules(permissions.RULES, "rules.toml")
        self.people = People(accounts=logins, admins=permissions.ADMINS)
        self.desk = Desk(
            decide=parts.decide,
            history=parts.history,
            listing=Listing(store=parts.store, history=parts.history),
            receive=parts.receive,
            replay=Replay(store=parts.store),
            learning=parts.learning,
            backup=parts.standstill,
            more=self._more(),
            page_link=lambda: "http://127.0.0.1/open",
            policies=parts.rules,
            clock=parts.clock,
            language="en",
            about=dict,
            parse_rules=parse_rules,
        )

    def _more(self) -> dict[str, Verb]:
        parts, database = self.parts, self.parts.store._database
        self.keyring = Keyring(tokens=SqliteTokens(database), people=self.people, clock=parts.clock)
        edit_again = EditAgain(
            decide=parts.decide,
            store=parts.store,
            drafts=None,
            by_address=False,
            log=parts.log,
            language="en",
        )
        notifying = Notifying(
            outbox=SqliteOutbox(database),
            targets=[],
            clock=parts.clock,
            log=parts.log,
            ids=str,
            language="en",
        )
        return {
            **Choosing(parts.preferences).verbs,
            **TokenVerbs(self.keyring).verbs(),
            **edit_again.verbs(),
            "notify": notifying.verb,
        }

    async def actor(self, role: str) -> Actor:
        return await self.people.of_login(ROLES[role]) if ROLES[role] else ADMIN

    async def ask(self, role: str, verb: str, **more: object) -> dict[str, Any]:
        return await self.desk.answer({"verb": verb, **more}, await self.actor(role))

    async def message(self, state: MessageState) -> str:
        """Anne's message in this state, as it comes into it."""
        to = "x@big.example" if state is MessageState.CONFIRM else "x@newspaper.example"
        who = {"user": permissions.OWNER, "sender": permissions.SENDER}
        held = await self.parts.id_of(to, BLIND, content=APPROVED % to.encode(), **who)
        if state in (MessageState.HELD, MessageState.FROZEN, MessageState.CANCELLED):
            assert (await self.ask("approver", "approve", id=held))["told"] == "done"
        if state is MessageState.FROZEN:
            await self.ask("owner", "freeze", id=held)
        if state is MessageState.CANCELLED:
            await self.ask("owner", "cancel", id=held)
        assert (await self.parts.store.find(held)).state is state
        return held


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path, notices=True) as parts:
        yield World(parts)


def test_every_verb_of_the_desk_is_in_the_table(world: World) -> None:
    assert set(world.desk._verbs) == {case.verb for case in CASES}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.verb} {case.state or ''}".strip())
async def test_who_may(world: World, case: Case, role: str) -> None:
    about = {"id": await world.message(case.state)} if case.state else {}
    before = await world.parts.store.find(about["id"]) if about else None
    if case.verb == "token-revoke":
        await world.keyring.new("anne", "t", Scope.READ)
    answer = await world.ask(role, case.verb, **about, **case.more)
    if role in case.may:
        assert answer["told"] == "done", answer["text"]
        return
    assert answer["told"] == case.otherwise
    assert not answer.get("message") and not {"content", "tokens", "token", "status"} & set(answer)
    if before is not None:
        assert await world.parts.store.find(before.id) == before
        assert "newspaper" not in answer["text"] and "big.example" not in answer["text"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", LISTED)
async def test_in_whose_lists_it_stands(world: World, verb: str, role: str) -> None:
    held = await world.message(MessageState.APPROVAL)
    listed = [one for one in (await world.ask(role, verb))["messages"] if one["id"] == held]
    assert len(listed) == (role in LISTED[verb])
    shown = [one["address"] for message in listed for one in message["recipients"]]
    assert (BLIND in shown) is (bool(shown) and role in permissions.SENDERS)


@pytest.mark.parametrize("role", ["approver", "deputy"])
@pytest.mark.parametrize("verb", ["show", "raw", "approve", "reject"])
async def test_an_approver_learns_of_no_blind_recipient(world: World, verb: str, role: str) -> None:
    held = await world.message(MessageState.APPROVAL)
    assert BLIND not in repr(await world.ask(role, verb, id=held, reason="No"))


async def test_nobody_approves_their_own_or_their_mailboxs_even_where_named(world: World) -> None:
    named = permissions.RULES.replace("bob@corp.example", "anne@corp.example", 1).replace("erin@", "carol@")
    world.parts.rules.current = parse_rules(named, "rules.toml")
    held = await world.message(MessageState.APPROVAL)
    for role in ("owner", "colleague"):
        for verb in ("approve", "reject", "release", "confirm"):
            told = (await world.ask(role, verb, id=held, reason="No"))["told"]
            assert told in ("not_yours", "refused")
    assert (await world.parts.store.find(held)).state is MessageState.APPROVAL


async def test_an_admin_does_not_approve_their_own(world: World) -> None:
    held = await world.parts.id_of("x@newspaper.example", user="chief", sender="chief@corp.example")
    assert (await world.ask("admin", "approve", id=held))["told"] == "not_yours"
    assert (await world.ask("approver", "approve", id=held))["told"] == "done"


async def test_a_yes_to_another_message_is_refused(world: World) -> None:
    held = await world.message(MessageState.APPROVAL)
    shown = (await world.ask("approver", "show", id=held))["message"]
    # Whoever may decide is shown the same.
    assert shown["seal"] == (await world.ask("deputy", "show", id=held))["message"]["seal"]
    answer = await world.ask("approver", "approve", id=held, seal="0" * len(shown["seal"]))
    assert answer["told"] == "refused" and "look at it again" in answer["text"]
    assert (await world.parts.store.find(held)).state is MessageState.APPROVAL
    assert (await world.ask("approver", "approve", id=held, seal=shown["seal"].upper()))["told"] == "done"
    events = await world.parts.store.events(held)
    assert events[-1].detail == {"seal": shown["seal"]}
