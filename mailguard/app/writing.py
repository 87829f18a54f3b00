"""What the guard needs to write to people: who they are, what they chose, and the notices themselves."""

from mailguard.core.value import dataclass
from mailguard.edge.accounts import UsersFile
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import RulesFile, Settings
from mailguard.edge.ids import RandomIds
from mailguard.edge.links import PURPOSE, SignedLinks
from mailguard.edge.secret import Secret
from mailguard.flow.noticing import Noticing
from mailguard.flow.people import People
from mailguard.flow.speaking import Speaking
from mailguard.ports import Log, Preferences, Store


@dataclass(frozen=True, kw_only=True)
class Writing:
    """The people, and how they are written to."""

    accounts: UsersFile
    people: People
    speaking: Speaking
    noticing: Noticing
    links: SignedLinks


def writing_of(
    settings: Settings, rules: RulesFile, store: Store, preferences: Preferences, clock: SystemClock, log: Log
) -> Writing:
    """Everything that writing takes, on an open store."""
    accounts = UsersFile(settings.accounts.file, clock=clock, log=log)
    people = People(accounts=accounts, admins=settings.accounts.admins)
    speaking = Speaking(
        preferences=preferences,
        people=people,
        hostname=settings.hostname,
        language=settings.language,
        local=lambda moment: moment.astimezone(),
    )
    links = links_of(settings, clock)
    noticing = Noticing(
        store=store,
        policies=rules,
        people=people,
        speaking=speaking,
        log=log,
        ids=RandomIds(),
        hostname=settings.hostname,
        links=links.of,
    )
    return Writing(accounts=accounts, people=people, speaking=speaking, noticing=noticing, links=links)


def links_of(settings: Settings, clock: SystemClock) -> SignedLinks:
    """The links of notices, where there is a page to lead to. Raises StoreError where there is no key."""
    key = Secret.open(settings.state_dir).derive(PURPOSE)
    return SignedLinks(key, public_url=settings.public_url, clock=clock)
