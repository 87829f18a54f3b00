"""Who somebody is: from a login, or the sender of a trusted network, to what they may do."""

from collections.abc import Collection

from mailguard.core import address
from mailguard.core.account import Account
from mailguard.core.actor import Actor
from mailguard.ports import Accounts


class People:
    """The one place where an Actor is made of a person. `admins` are logins."""

    def __init__(self, *, accounts: Accounts, admins: Collection[str] = ()) -> None:
        self._accounts = accounts
        self._admins = frozenset(admins)

    async def of_login(self, login: str) -> Actor:
        """Whoever has logged in; of a login that is gone, somebody who owns nothing."""
        account = await self._accounts.account(login)
        if account is None:
            return Actor(name=login)
        return Actor(
            name=login,
            admin=login in self._admins,
            account=account,
            shared=await self._shared(account),
        )

    async def of_sender(self, sender: str) -> Actor:
        """Whoever sends from a trusted network: the envelope sender counts as the person."""
        return Actor(name=sender, account=Account(login=sender, addresses=(address.normal(sender),)))

    async def logins_of(self, person: str) -> frozenset[str]:
        """The logins whose own address this is."""
        return await self._accounts.members(person)

    async def _shared(self, account: Account) -> frozenset[str]:
        members = {one: await self._accounts.members(one) for one in account.addresses}
        return frozenset(
            one for one, logins in members.items() if account.login in logins and len(logins) > 1
        )
