"""The front desk's verbs about tokens."""

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN, Actor
from mailguard.edge.store import Database, SqliteTokens
from mailguard.flow.desk_tokens import TokenVerbs
from mailguard.flow.keyring import Keyring
from mailguard.flow.people import People
from tests.clocks import FakeClock
from tests.flow.test_keyring import Logins

ANN = Actor(name="ann", account=Account(login="ann", addresses=()))
NOBODY = Actor(name="a@corp.example")


@pytest.fixture
def verbs(database: Database) -> TokenVerbs:
    people = People(accounts=Logins(), admins=["root"])
    return TokenVerbs(Keyring(tokens=SqliteTokens(database), people=people, clock=FakeClock()))


async def ask(verbs: TokenVerbs, actor: Actor, verb: str, **more: object) -> dict[str, object]:
    return await verbs.verbs()[verb]({"verb": verb, **more}, actor)


async def test_a_person_sees_to_their_own(verbs: TokenVerbs) -> None:
    made = await ask(verbs, ANN, "token-new", name="laptop", scope="read")
    assert made["told"] == "done"
    listed = (await ask(verbs, ANN, "tokens"))["tokens"]
    assert isinstance(listed, list)
    assert [(one["name"], one["login"], one["scope"]) for one in listed] == [("laptop", "ann", "read")]
    assert str(made["token"]) not in repr(listed)
    assert (await ask(verbs, ANN, "token-revoke", name="laptop"))["told"] == "done"
    assert (await ask(verbs, ANN, "token-revoke", name="laptop"))["told"] == "no_such_message"


@pytest.mark.parametrize("actor", [ANN, NOBODY])
@pytest.mark.parametrize("verb", ["tokens", "token-new", "token-revoke"])
async def test_nobody_sees_to_those_of_others(verbs: TokenVerbs, actor: Actor, verb: str) -> None:
    for login in ("root", ""):
        assert (await ask(verbs, actor, verb, login=login, name="x"))["told"] == "not_yours"
    assert (await ask(verbs, ADMIN, "tokens"))["tokens"] == []


async def test_who_has_no_login_has_no_token(verbs: TokenVerbs) -> None:
    assert (await ask(verbs, NOBODY, "token-new", name="x"))["told"] == "not_yours"


async def test_the_admin_of_the_machine_makes_them_for_all(verbs: TokenVerbs) -> None:
    for login in ("", "ann"):
        assert (await ask(verbs, ADMIN, "token-new", login=login, name="x", days=None))["told"] == "done"
    listed = (await ask(verbs, ADMIN, "tokens"))["tokens"]
    assert isinstance(listed, list)
    assert [(one["login"], one["expires_at"]) for one in listed] == [("", None), ("ann", None)]


@pytest.mark.parametrize(
    "wrong",
    [{"scope": "all"}, {"days": "many"}, {"days": -1}, {"days": 1e300}, {"days": float("nan")}, {"name": ""}],
)
async def test_what_makes_no_sense(verbs: TokenVerbs, wrong: dict[str, object]) -> None:
    answer = await ask(verbs, ADMIN, "token-new", **{"name": "x", **wrong})
    assert answer["told"] == "refused"
