"""What one sender does: to whom he writes, how often, with whom together, about what, and how he greets
them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from mailguard.core.recall.observation import Observation
from mailguard.core.recall.people import Person
from mailguard.core.recall.topics import Topics

# Of the mails to one person the latest are kept: what was usual years ago says little of today.
LATEST = 64
_TOPIC_LIMIT = 40
_GREETINGS = 2000


class Contact:
    """One person that a sender writes to: how many mails, and how many with him in To."""

    __slots__ = ("_mails", "count", "listed")

    def __init__(self) -> None:
        self.count = 0
        self.listed = 0
        # Most people are written to once, and an array takes a hundred bytes.
        self._mails: int | array[int] = 0

    @property
    def mails(self) -> Sequence[int]:
        """The latest mails, the oldest first."""
        mails = self._mails
        if isinstance(mails, int):
            return (mails,) if mails else ()
        return mails

    def written(self, mail: int, *, listed: bool) -> None:
        """One more mail, with him in To or not."""
        self.count += 1
        self.listed += listed
        mails = self._mails
        if isinstance(mails, int):
            self._mails = array("I", (mails, mail)) if mails else mail
            return
        mails.append(mail)
        if len(mails) > 2 * LATEST:
            del mails[:LATEST]

    def forget(self, before: int) -> None:
        """Let go of mails with a smaller number."""
        left = [mail for mail in self.mails if mail >= before]
        self._mails = array("I", left) if len(left) > 1 else sum(left)


class Habits:
    """The memory of one sender. Mails are numbers; people are numbers."""

    __slots__ = ("_beyond", "contacts", "domains", "greeted", "mails", "topics")

    def __init__(self) -> None:
        self.mails: array[int] = array("I")
        self.contacts: dict[int, Contact] = {}
        self.domains: dict[str, int] = {}
        self.topics = Topics(_TOPIC_LIMIT)
        # By digest of a name in a greeting: who was on the mail, and how often.
        self.greeted: dict[int, dict[int, int]] = {}
        # What was asked for last, until there is a new domain: our own ones, and all others.
        self._beyond: tuple[frozenset[str], int, frozenset[str]] | None = None

    def domains_beyond(self, inside: frozenset[str]) -> frozenset[str]:
        """The organisations that he writes to, without these."""
        known = self._beyond
        if known is None or known[0] != inside or known[1] != len(self.domains):
            known = (inside, len(self.domains), frozenset(self.domains.keys() - inside - {""}))
            self._beyond = known
        return known[2]

    def sent(self, mail: int, observation: Observation, people: Iterable[Person]) -> float:
        """A mail went out; its length as a vector of words."""
        self.mails.append(mail)
        listed = frozenset(observation.to)
        everybody = list(people)
        for person in everybody:
            contact = self.contacts.get(person.number)
            if contact is None:
                contact = self.contacts[person.number] = Contact()
            contact.written(mail, listed=person.address in listed)
        for domain in {person.domain for person in everybody}:
            self.domains[domain] = self.domains.get(domain, 0) + 1
        if len(everybody) <= 4:
            self._greets(observation.greeting, everybody)
        return self.topics.add(mail, observation.terms)

    def _greets(self, greeting: Iterable[int], people: Iterable[Person]) -> None:
        for name in greeting:
            if name not in self.greeted and len(self.greeted) >= _GREETINGS:
                continue
            who = self.greeted.setdefault(name, {})
            for person in people:
                who[person.number] = who.get(person.number, 0) + 1

    def forget(self, before: int, recipients: Iterable[tuple[int, ...]]) -> None:
        """Let go of mails with a smaller number; `recipients` are those of each of them."""
        for group in recipients:
            for number in group:
                if (contact := self.contacts.get(number)) is not None:
                    contact.count -= 1
        self.mails = array("I", (mail for mail in self.mails if mail >= before))
        for number in [number for number, contact in self.contacts.items() if contact.count <= 0]:
            self.drop(number)
        for contact in self.contacts.values():
            contact.forget(before)
        self.topics.forget(before)

    def latest(self, number: int) -> int:
        """The last mail to a person, or 0."""
        contact = self.contacts.get(number)
        return contact.mails[-1] if contact and contact.mails else 0

    def drop(self, number: int) -> None:
        """Somebody is no contact any more."""
        self.contacts.pop(number, None)
        for who in self.greeted.values():
            who.pop(number, None)
