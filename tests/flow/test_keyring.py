"""Tokens: good for whom they were made, as far as they reach, and as long as they are."""

from datetime import timedelta

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN
from mailguard.edge.store import Database, SqliteTokens
from mailguard.flow.keyring import PREFIX, USED_AFTER, USUAL_LIFE, Keyring, TokenRefused
from mailguard.flow.people import People
from mailguard.ports.access import Scope
from tests.clocks import FakeClock


class Logins:
    """ann, and the admin root."""

    def __init__(self) -> None:
        self.known = {
            name: Account(login=name, addresses=(f"{name}@corp.example",)) for name in ("ann", "root")
        }

    async def authenticate(self, login: str, password: str) -> Account | None:
        return None

    async def account(self, login: str) -> Account | None:
        return self.known.get(login)

    async def members(self, address: str) -> frozenset[str]:
        return frozenset(name for name, one in self.known.items() if address in one.addresses)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def logins() -> Logins:
    return Logins()


@pytest.fixture
def keyring(database: Database, clock: FakeClock, logins: Logins) -> Keyring:
    people = People(accounts=logins, admins=["root"])
    return Keyring(tokens=SqliteTokens(database), people=people, clock=clock)


async def test_it_is_good_in_the_name_of_its_login(keyring: Keyring) -> None:
    shown = await keyring.new("ann", "laptop", Scope.ACT)
    assert shown.startswith(PREFIX)
    holder = await keyring.holder(shown)
    assert holder is not None
    assert (holder.actor.name, holder.actor.admin, holder.token.scope) == ("ann", False, Scope.ACT)
    for wrong in ("", PREFIX, shown[:-1], shown + "x", shown.removeprefix(PREFIX), shown.upper()):
        assert await keyring.holder(wrong) is None
    [kept] = await keyring.of("ann")
    assert shown.encode() not in kept.digest
    assert shown not in repr(kept)


async def test_an_admins_token_is_an_admins_only_where_it_says_so(keyring: Keyring) -> None:
    for scope in Scope:
        holder = await keyring.holder(await keyring.new("root", scope.value, scope))
        assert holder is not None
        assert holder.actor.admin == (scope is Scope.ADMIN)
        anns = await keyring.holder(await keyring.new("ann", scope.value, scope))
        assert anns is not None
        assert not anns.actor.admin


async def test_the_machines_own(keyring: Keyring) -> None:
    holder = await keyring.holder(await keyring.new("", "prometheus", Scope.READ))
    assert holder is not None
    assert holder.actor == ADMIN


async def test_it_ends(keyring: Keyring, clock: FakeClock, logins: Logins) -> None:
    shown = await keyring.new("ann", "laptop", Scope.ACT)
    forever = await keyring.new("ann", "printer", Scope.ACT, None)
    await clock.advance(USUAL_LIFE)
    assert await keyring.holder(shown) is None
    assert await keyring.holder(forever) is not None
    del logins.known["ann"]
    assert await keyring.holder(forever) is None


async def test_it_is_revoked(keyring: Keyring) -> None:
    shown = await keyring.new("ann", "laptop", Scope.ACT)
    assert not await keyring.revoke("root", "laptop")
    assert await keyring.holder(shown) is not None
    assert await keyring.revoke("ann", "laptop")
    assert await keyring.holder(shown) is None


async def test_its_last_use_is_told(keyring: Keyring, clock: FakeClock) -> None:
    shown = await keyring.new("ann", "laptop", Scope.ACT)
    assert (await keyring.of("ann"))[0].used is None
    for wait in (timedelta(0), USED_AFTER / 2, USED_AFTER):
        await clock.advance(wait)
        await keyring.holder(shown)
    assert (await keyring.of("ann"))[0].used == clock.now()


@pytest.mark.parametrize("name", ["", " ", "a/b", "é", "x" * 65, "a\nb"])
async def test_a_name_that_is_none(keyring: Keyring, name: str) -> None:
    with pytest.raises(TokenRefused, match="no name"):
        await keyring.new("ann", name, Scope.ACT)


async def test_what_cannot_be_made(keyring: Keyring) -> None:
    await keyring.new("ann", "laptop", Scope.ACT)
    with pytest.raises(TokenRefused, match="already"):
        await keyring.new("ann", "laptop", Scope.READ)
    with pytest.raises(TokenRefused, match="no login"):
        await keyring.new("nobody", "laptop", Scope.READ)
    with pytest.raises(TokenRefused, match="a year"):
        await keyring.new("ann", "old", Scope.READ, timedelta(days=4000))
