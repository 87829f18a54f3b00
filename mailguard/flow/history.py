"""Reading the queue: the list, one message with its history, the counts. Changes nothing."""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet

from mailguard.core import view
from mailguard.core.account import Account
from mailguard.core.actor import Actor
from mailguard.core.answer import Answer, no_such, not_yours
from mailguard.core.errors import AmbiguousId, NoSuchMessage
from mailguard.core.hold import HeldMessage
from mailguard.core.identity import normalize
from mailguard.core.own_mail import is_notice
from mailguard.core.seal import as_named, open_copy
from mailguard.core.states import MessageState
from mailguard.core.told import Told
from mailguard.core.value import replace
from mailguard.ports import Clock, Node, Owner, Page, Policies, Store

PAGE = 500


class History:
    """What people may see of the queue: an admin everything, a person their own."""

    def __init__(self, *, store: Store, policies: Policies, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    async def listing(
        self,
        actor: Actor,
        *,
        states: frozenset[MessageState] = frozenset(),
        sender: str | None = None,
        finished: bool = False,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[HeldMessage]:
        """The messages this actor may see, next to leave first, from the one behind the id `after` on.

        Raises NoSuchMessage where that one is forgotten.
        """
        found: list[HeldMessage] = []
        size = PAGE if limit is None else min(limit, PAGE)
        owner = _owner(actor)
        first = Page(states=states, sender=sender, owner=owner, finished=finished, after=after, limit=size)
        async for message in self._pages(first):
            # What the guard told people is no mail of theirs: listed while it waits, not for ever.
            if actor.may_act_on(message) and not (message.state.finished and is_notice(message)):
                found.append(message)
            if limit is not None and len(found) >= limit:
                break
        return found

    async def _pages(self, first: Page) -> AsyncIterator[HeldMessage]:
        # Page by page, so that a long list never keeps the store from those who wait to write.
        wanted, seen = first, set[str]()
        while True:
            page = await self._store.page(wanted)
            for message in page:
                if message.id not in seen:
                    seen.add(message.id)
                    yield message
            if len(page) < wanted.limit:
                return
            wanted = replace(wanted, after=await self._bookmark(page))

    async def _bookmark(self, page: Sequence[HeldMessage]) -> str | None:
        """The last message of a page that is still where the page had it. One that has moved meanwhile
        would take the rest of the list with it; None begins the list anew."""
        for message in reversed(page):
            try:
                if (await self._store.find(message.id)).version == message.version:
                    return message.id
            except NoSuchMessage:
                continue
        return None

    async def find(self, prefix: str, actor: Actor) -> Answer:
        """One message; its approvers may see it too."""
        try:
            message = await self._store.find(normalize(prefix))
        except NoSuchMessage:
            return no_such(prefix)
        except AmbiguousId:
            return Answer(told=Told.REFUSED, text=f"{prefix!r} begins several ids; give more letters")
        if actor.may_act_on(message) or actor.may_approve(message):
            return Answer(told=Told.DONE, text="", message=await self.shown(message, actor))
        return not_yours(prefix, message, "see")

    async def shown(self, message: HeldMessage, actor: Actor) -> HeldMessage:
        """The message as this actor may see it: to an approver without Bcc, which is between its sender and
        nobody, and without what was found about it."""
        if actor.may_act_on(message):
            return message
        return as_named(message, await self._store.content(message.id) or b"")

    async def events(self, message: HeldMessage, actor: Actor) -> list[view.Json]:
        """The message's history, oldest first, as this actor may see it."""
        events = [view.event(event) for event in await self._store.events(message.id)]
        if actor.may_act_on(message):
            return events
        everybody = (await self._store.find(message.id)).recipients
        hidden = {one.address for one in everybody} - {one.address for one in message.recipients}
        return [{key: value for key, value in event.items() if not _tells(value, hidden)} for event in events]

    async def content(self, message: HeldMessage, actor: Actor) -> bytes | None:
        """Its bytes as received (for its approver: as they would leave), or None where they are gone."""
        content = await self._store.content(message.id)
        if content is None or actor.may_act_on(message):
            return content
        return open_copy(content)

    async def status(self) -> view.Json:
        """Counts by state, what is overdue, the rules in force, the last reload's faults, and the guards that
        share the queue."""
        census = await self._store.census(self._clock.now())
        nodes = await self._store.nodes()
        policy = self._policies.current
        return {
            "messages": {state.value: census.by_state.get(state, 0) for state in MessageState},
            "overdue": census.overdue,
            "oldest_overdue": view.time(census.oldest_overdue),
            "rules": [rule.name for rule in policy.rules],
            "internal_domains": list(policy.internal_domains),
            "reload_errors": [str(fault) for fault in self._policies.faults],
            "nodes": [_node(node) for node in nodes],
        }


def _node(node: Node) -> view.Json:
    return {
        "name": node.name,
        "address": node.address,
        "since": view.time(node.since),
        "heard": view.time(node.heard),
        "alive": node.alive,
        "in_hand": node.in_hand,
    }


def _owner(actor: Actor) -> Owner | None:
    """Among whose messages this actor's are; None where it may be anybody's."""
    if actor.admin:
        return None
    return Owner(login="") if actor.account is None else owner_of(actor.account)


def owner_of(account: Account) -> Owner:
    """Among whose messages those of this account are."""
    exact = {
        one for one in account.addresses if "*" not in one and "?" not in one and not one.startswith("@")
    }
    anonymous = len(exact) < len(account.addresses)
    return Owner(login=account.login, addresses=frozenset(exact), anonymous=anonymous)


def _tells(value: object, hidden: AbstractSet[str]) -> bool:
    """Whether one of these addresses stands anywhere in a detail of the history, in whatever case a server
    has repeated it."""
    text = repr(value).casefold()
    return any(repr(one)[1:-1].casefold() in text for one in hidden)
