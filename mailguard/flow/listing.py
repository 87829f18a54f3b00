"""Pages of the list, as a person looks through it: what is theirs, what waits for their approval, or, for an
admin, everybody's; searched, and never all at once."""

from collections.abc import Mapping, Sequence

from mailguard.core.actor import Actor
from mailguard.core.hold import HeldMessage
from mailguard.core.own_mail import is_notice
from mailguard.core.states import FINISHED, MessageState
from mailguard.core.value import replace
from mailguard.flow.history import History, owner_of
from mailguard.ports import Found, Owner, Search, Store

LARGEST_PAGE = 100
# More messages than anybody has to decide about; a list of them is looked through whole.
MOST_APPROVALS = 1000
# Pages of messages that turn out to be others' before somebody who looks is told to look on.
MOST_ROUNDS = 50


class Listing:
    """What this actor may see, a page at a time."""

    def __init__(self, *, store: Store, history: History) -> None:
        self._store = store
        self._history = history

    async def page(self, actor: Actor, search: Search, *, everybody: bool) -> Found:
        """The first messages that are the actor's and fit; of `everybody` where the actor is an admin.

        Raises NoSuchMessage where the message to go on after is forgotten.
        """
        whole = everybody and actor.admin
        wanted = Search(
            states=search.states,
            owner=None if whole else _owner(actor),
            text=search.text.strip()[:200],
            rule=search.rule,
            finding=search.finding,
            after=search.after,
            limit=min(search.limit, LARGEST_PAGE),
        )
        if not whole:
            return await self._own(actor, wanted)
        found = await self._store.search(wanted)
        return Found(messages=[one for one in found.messages if not _told(one)], after=found.after)

    async def _own(self, actor: Actor, wanted: Search) -> Found:
        """Whether there is more, and where, is told of the actor's messages alone: the store knows no
        patterns of addresses, and that one of others fits would tell what is in it."""
        kept: list[HeldMessage] = []
        search = replace(wanted, limit=wanted.limit + 1)
        for _ in range(MOST_ROUNDS):
            found = await self._store.search(search)
            kept += [one for one in found.messages if may_list(actor, one) and not _told(one)]
            if len(kept) > wanted.limit:
                return Found(messages=kept[: wanted.limit], after=kept[wanted.limit - 1].id)
            if found.after is None:
                break
            search = replace(search, after=found.after)
        return Found(messages=kept, after=found.after)

    async def approvals(self, actor: Actor) -> Sequence[HeldMessage]:
        """What waits for this actor's decision, soonest over first, as an approver may see it."""
        return [await self._history.shown(one, actor) for one in await self._waiting(actor)]

    async def to_approve(self, actor: Actor) -> Sequence[str]:
        """The ids of the same, without a look at their bytes: these are many megabytes."""
        return [one.id for one in await self._waiting(actor)]

    async def _waiting(self, actor: Actor) -> list[HeldMessage]:
        waiting: list[HeldMessage] = []
        after: str | None = None
        while len(waiting) < MOST_APPROVALS:
            found = await self._store.search(
                Search(states=frozenset({MessageState.APPROVAL}), after=after, limit=LARGEST_PAGE)
            )
            waiting += [one for one in found.messages if actor.may_approve(one)]
            if found.after is None:
                break
            after = found.after
        waiting.sort(key=lambda one: (one.expires_at is None, one.expires_at or one.received_at))
        return waiting


def may_list(actor: Actor, message: HeldMessage) -> bool:
    """Whether the message stands in this actor's own list: an admin's is not everybody's."""
    if actor.admin and actor.account is None:
        return True
    return Actor(name=actor.name, account=actor.account, shared=actor.shared).may_act_on(message)


def _told(message: HeldMessage) -> bool:
    """Whether it is a notice that has done its work: nobody looks for those."""
    return message.state.finished and is_notice(message)


def _owner(actor: Actor) -> Owner | None:
    account = actor.account
    if account is None:
        # The admin of the machine has no mail of their own.
        return None if actor.admin else Owner(login="")
    return owner_of(account)


def wished(request: Mapping[str, object], states: frozenset[MessageState], limit: int | None) -> Search:
    """What a request asks for."""

    def text(key: str) -> str:
        value = request.get(key)
        return value if isinstance(value, str) else ""

    chosen = states or (FINISHED if request.get("finished") is True else frozenset())
    return Search(
        states=chosen,
        text=text("search"),
        rule=text("rule"),
        finding=text("finding"),
        after=text("after") or None,
        limit=limit or LARGEST_PAGE,
    )
