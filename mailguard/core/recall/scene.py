"""One mail to be judged, with everything about it that is looked up once and not once per recipient."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import field
from functools import cached_property

from mailguard.core.recall.digest import Reading
from mailguard.core.recall.greeting import fits
from mailguard.core.recall.habits import LATEST, Habits
from mailguard.core.recall.people import WEBMAIL, Person, organisation
from mailguard.core.recall.recall import Recall
from mailguard.core.value import dataclass

DAY = 86400
_NEIGHBOURS = 30
_SENDER_WORDS, _COMMON_WORDS = 16, 10
_SUBJECT_DAYS = 45
_OTHERS = 12
# Of more recipients than this, the first are looked at where each is compared with the others.
_CLOSE = 24
_LAST = 50
_GROUPS = 16


@dataclass(kw_only=True, slots=True)
class Thread:
    """The conversation that a mail belongs to, as far as it is known, and how it was found: 0 not at all, 1
    by References, 2 by its subject, 3 by the words it quotes. `answered` is the mail that is answered, or
    0."""

    found: int = 0
    answered: int = 0
    wrote: set[int] = field(default_factory=set)
    took_part: set[int] = field(default_factory=set)
    # Those who were in it before the mail that is answered.
    before: set[int] = field(default_factory=set)
    mails: tuple[int, ...] = ()


# How well somebody fits in some way.
Fit = Callable[["Scene", Person], float]


def _most(values: dict[int, float]) -> list[tuple[int, float]]:
    if len(values) > _NEIGHBOURS:
        # To put bare numbers in order costs a fraction of putting the mails in order.
        least = sorted(values.values())[-_NEIGHBOURS]
        values = {mail: value for mail, value in values.items() if value >= least}
    nearest = sorted(values, key=values.__getitem__, reverse=True)[:_NEIGHBOURS]
    return [(mail, values[mail]) for mail in nearest]


class Scene:
    """What is known when a mail is judged. Nothing in it outlives the judging."""

    def __init__(self, recall: Recall, reading: Reading, internal: Collection[str] = ()) -> None:
        self.recall = recall
        self.reading = reading
        observation = reading.observation
        self.now = observation.when
        self.subject = observation.subject
        self.sender = recall.people.find(observation.sender)
        self.habits = recall.habits.get(self.sender.number) or Habits()
        self.recipients = [recall.people.find(address) for address in observation.recipients]
        # Strangers get numbers of their own that the memory never gives.
        for at, person in enumerate(self.recipients):
            if person.number < 0:
                person.number = -2 - at
        self.numbers = {person.number for person in self.recipients}
        self.listed = frozenset(observation.to)
        self._internal = frozenset(map(organisation, internal))
        self.outside = {person.number: self.is_outside(person) for person in self.recipients}
        self._together: dict[int, frozenset[int]] = {}
        self._seen: dict[int, frozenset[int]] = {}
        self._pairs: dict[tuple[int, int], tuple[frozenset[int], float]] = {}
        self._shared: dict[tuple[int, int], float] = {}
        self.on_it = {*self.numbers, self.sender.number}
        # What is asked again for each other recipient is kept, by person.
        self._alike: dict[str, list[int]] = {}
        self.standings: dict[int, tuple[float, ...]] = {}
        self.standing_scores: dict[int, float] = {}
        self.spoken_fits: dict[int, float] = {}
        self.author_fits: dict[int, float] = {}
        self._greeting_fits: dict[int, float] = {}
        self.slips: dict[int, dict[int, float]] = {}
        self._tops: dict[Fit, tuple[float, int, float]] = {}

    def is_outside(self, person: Person) -> bool:
        """Whether an address is none of the sender's organisation."""
        if self._internal:
            return person.domain not in self._internal
        return person.domain != self.sender.domain or person.domain in WEBMAIL

    def others(self, person: Person) -> list[Person]:
        """The other recipients, a bounded number of them."""
        return [other for other in self.recipients if other.number != person.number][:_OTHERS]

    def beside(self, person: Person, fit: "Fit") -> float:
        """The best that anybody else of the recipients has of this; -1 where there is nobody else."""
        top = self._tops.get(fit)
        if top is None:
            some = self.recipients[:_CLOSE]
            values = sorted(((fit(self, one), -at) for at, one in enumerate(some)), reverse=True)
            top = (values[0][0], some[-values[0][1]].number, values[1][0] if len(values) > 1 else -1.0)
            self._tops[fit] = top
        return top[2] if top[1] == person.number else top[0]

    # ------------------------------------------------------------------ who was on mail with whom

    @cached_property
    def present(self) -> frozenset[int]:
        """Mails of this very conversation: they say nothing of what is usual otherwise."""
        return (
            frozenset((*self.recall.same_subject(self.subject), *self.thread.mails))
            if self.subject
            else frozenset(self.thread.mails)
        )

    def together(self, number: int) -> frozenset[int]:
        """The sender's latest mails to a person, without those of this conversation."""
        known = self._together.get(number)
        if known is None:
            contact = self.habits.contacts.get(number)
            known = frozenset(contact.mails[-LATEST:]) if contact else frozenset()
            if not known.isdisjoint(self.present):
                known -= self.present
            self._together[number] = known
        return known

    def seen(self, number: int) -> frozenset[int]:
        """Anybody's latest mails with a person on them, without those of this conversation."""
        known = self._seen.get(number)
        if known is None:
            known = self._seen[number] = frozenset(self.recall.seen.get(number, ())) - self.present
        return known

    @cached_property
    def latest(self) -> list[tuple[int, ...]]:
        """Whom the sender's last mails went to, the last one last."""
        return [self.recall.group(mail) for mail in self.habits.mails[-_LAST:]]

    @cached_property
    def circle(self) -> list[tuple[int, frozenset[int]]]:
        """The first recipients, each with the sender's latest mails to him."""
        return [(person.number, self.together(person.number)) for person in self.recipients[:7]]

    @cached_property
    def circled(self) -> frozenset[int]:
        """All of these mails."""
        return frozenset().union(*(mails for _, mails in self.circle))

    @cached_property
    def past_groups(self) -> list[tuple[frozenset[int], int]]:
        """Groups that the sender wrote to, the ones with most of these recipients in them, each with how
        many it has of them."""
        often = Counter(mail for person in self.recipients[:_OTHERS] for mail in self.together(person.number))
        groups = (frozenset(self.recall.group(mail)) for mail, _ in often.most_common(_GROUPS))
        return [(group, len(group & self.numbers)) for group in groups]

    def common_mails(self, one: int, other: int) -> tuple[frozenset[int], float]:
        """The sender's latest mails to both of two people, and what share of the rarer one's they are."""
        pair = (one, other) if one < other else (other, one)
        known = self._pairs.get(pair)
        if known is None:
            mine, theirs = self.together(one), self.together(other)
            both = frozenset() if mine.isdisjoint(theirs) else mine & theirs
            known = self._pairs[pair] = (both, len(both) / (1.0 + min(len(mine), len(theirs))))
        return known

    def common_share(self, one: int, other: int) -> float:
        """The same of anybody's latest mails with the two on them, as a share."""
        pair = (one, other) if one < other else (other, one)
        known = self._shared.get(pair)
        if known is None:
            mine, theirs = self.seen(one), self.seen(other)
            both = 0 if mine.isdisjoint(theirs) else len(mine & theirs)
            known = self._shared[pair] = both / (1.0 + min(len(mine), len(theirs)))
        return known

    @cached_property
    def on_subject(self) -> tuple[Counter[int], Counter[int]]:
        """Of the mails of this subject: whom the sender wrote to, and who wrote to him."""
        me, recall = self.sender.number, self.recall
        to, by = Counter[int](), Counter[int]()
        for mail in recall.same_subject(self.subject) if self.subject else ():
            sender, group = recall.sender(mail), recall.group(mail)
            if sender == me:
                to.update(set(group))
            elif me in group:
                by[sender] += 1
        return to, by

    # ------------------------------------------------------------------ the conversation

    @cached_property
    def thread(self) -> Thread:
        """Who took part in it so far."""
        recall, observation = self.recall, self.reading.observation
        answered = recall.answered(observation)
        if answered:
            return self._gathered(1, answered, list(recall.chain(answered)))
        if self.subject:
            me = self.sender.number
            since = self.now - _SUBJECT_DAYS * DAY
            mails = [
                mail
                for mail in reversed(recall.same_subject(self.subject))
                if recall.time(mail) >= since and (recall.sender(mail) == me or me in recall.group(mail))
            ]
            if mails:
                answered = next((mail for mail in mails if recall.sender(mail) != me), 0)
                return self._gathered(2, answered, mails)
        return Thread()

    def _gathered(self, found: int, answered: int, mails: list[int]) -> Thread:
        recall = self.recall
        thread = Thread(found=found, answered=answered, mails=tuple(mails))
        for mail in mails:
            sender, group = recall.sender(mail), recall.group(mail)
            thread.wrote.add(sender)
            thread.took_part.update(group, (sender,))
            if mail < answered:
                thread.before.update(group, (sender,))
        return thread

    # ------------------------------------------------------------------ the words

    @cached_property
    def near(self) -> dict[int, float]:
        """The sender's earlier mails by likeness to this one, 0 to 1; the nearest ones."""
        shared = self.habits.topics.near(self.reading.observation.terms, _SENDER_WORDS)
        lengths, first = self.recall.lengths, self.recall.first
        return {mail: value / lengths[mail - first] for mail, value in shared.items() if mail >= first}

    @cached_property
    def nearest(self) -> list[tuple[int, float]]:
        """The few nearest of them, nearest first."""
        return _most(self.near)

    @cached_property
    def votes(self) -> dict[int, float]:
        """Whom the nearest mails went to: shares of their likeness."""
        return self._shares(self.nearest, senders=False)

    @cached_property
    def common(self) -> dict[int, float]:
        """Anybody's earlier mails by likeness to this one."""
        shared = self.recall.topics.near(self.reading.observation.terms, _COMMON_WORDS)
        weights, first = self.recall.weights, self.recall.first
        return {mail: value / weights[mail - first] for mail, value in shared.items() if mail >= first}

    @cached_property
    def common_nearest(self) -> list[tuple[int, float]]:
        """The few nearest of everybody's."""
        return _most(self.common)

    @cached_property
    def common_votes(self) -> dict[int, float]:
        """Who sent or got the nearest of everybody's mails."""
        return self._shares(self.common_nearest, senders=True)

    def _shares(self, mails: Iterable[tuple[int, float]], *, senders: bool) -> dict[int, float]:
        votes: dict[int, float] = {}
        total = 0.0
        for mail, value in mails:
            total += value
            group = self.recall.group(mail)
            for number in group if len(group) <= 60 else ():
                votes[number] = votes.get(number, 0.0) + value
            if senders:
                number = self.recall.sender(mail)
                votes[number] = votes.get(number, 0.0) + value
        return {number: value / total for number, value in votes.items()} if total else votes

    @cached_property
    def absent_vote(self) -> float:
        """The most votes of somebody who is not on the mail."""
        return max((value for number, value in self.votes.items() if number not in self.on_it), default=0.0)

    @cached_property
    def absent(self) -> list[int]:
        """Who is not on the mail, and might be: by words, by what is answered, and by the greeting."""
        found: dict[int, None] = {}
        called = {number: float(count) for who in self.greeted for number, count in who.items()}
        for values, most in ((self.votes, 6), (self.sources, 3), (called, 3)):
            likely = (
                number for number in values if number not in self.on_it and number in self.habits.contacts
            )
            found.update(dict.fromkeys(sorted(likely, key=values.__getitem__, reverse=True)[:most]))
        return list(found)

    @cached_property
    def common_absent_vote(self) -> float:
        """The same of everybody's mails."""
        votes = self.common_votes.items()
        return max((value for number, value in votes if number not in self.on_it), default=0.0)

    @cached_property
    def common_likest(self) -> dict[int, float]:
        """By person: how alike the likest of everybody's mails with him is."""
        found: dict[int, float] = {}
        for mail, value in self.common_nearest:
            for number in (self.recall.sender(mail), *self.recall.group(mail)):
                found[number] = max(found.get(number, 0.0), value)
        return found

    @cached_property
    def domain_votes(self) -> dict[str, float]:
        """Which organisations the nearest mails went to: the highest vote of a person of each."""
        found: dict[str, float] = {}
        for mail, value in self.nearest:
            for domain in {
                self.recall.people.known[number].domain for number in self.recall.group(mail)[:60]
            }:
                found[domain] = found.get(domain, 0.0) + value
        total = sum(value for _, value in self.nearest) or 1.0
        return {domain: value / total for domain, value in found.items()}

    @cached_property
    def outside_vote(self) -> float:
        """The share of the nearest mails that went to somebody outside."""
        known = self.recall.people.known
        out = sum(
            value
            for mail, value in self.nearest
            if any(self.is_outside(known[number]) for number in self.recall.group(mail)[:8])
        )
        return out / (sum(value for _, value in self.nearest) or 1.0)

    @cached_property
    def sources(self) -> dict[int, float]:
        """By person: how alike the likest mail is that he was on together with the sender, as far as it is
        not one that the sender wrote (what is answered or passed on came from somewhere)."""
        me = self.sender.number
        found: dict[int, float] = {}
        for mail, value in self.common_nearest:
            sender, group = self.recall.sender(mail), self.recall.group(mail)
            if sender == me or me not in group:
                continue
            for number in (sender, *group) if len(group) <= 60 else ():
                if value > found.get(number, 0.0):
                    found[number] = value
        return found

    # ------------------------------------------------------------------ names

    @cached_property
    def greeted(self) -> list[dict[int, int]]:
        """Of each name in the greeting: whom the sender wrote to with it."""
        known = self.habits.greeted
        return [known[name] for name in self.reading.observation.greeting if name in known]

    def greeting_fit(self, person: Person) -> float:
        """How well the greeting fits a person, 0 to 1."""
        if not self.reading.greeted:
            return 0.0
        best = self._greeting_fits.get(person.number)
        if best is None:
            best = 0.0
            for name in self.reading.greeted:
                best = max(best, fits(name, person.parts), fits(name, person.named) if person.named else 0.0)
            self._greeting_fits[person.number] = best
        return best

    def called(self, number: int) -> float:
        """The share of the mails with this greeting that went to a person."""
        return self.shares_called.get(number, 0.0)

    @cached_property
    def shares_called(self) -> dict[int, float]:
        """Everybody who was ever written to with this greeting, and with what share of the mails."""
        found: dict[int, float] = {}
        for who in self.greeted:
            most = 1.0 + max(who.values(), default=0)
            for number, count in who.items():
                found[number] = max(found.get(number, 0.0), count / most)
        return found

    @cached_property
    def quoted_domains(self) -> frozenset[str]:
        """The organisations of all addresses that stand in what is quoted."""
        addresses = self.reading.quotation.addresses
        return frozenset(organisation(one.rpartition("@")[2]) for one in addresses)

    # ------------------------------------------------------------------ spelling

    def alike(self, key: str) -> list[int]:
        """The sender's contacts that an autocompletion would find by this (people.alike_keys)."""
        known = self._alike.get(key)
        if known is None:
            contacts = self.habits.contacts
            everybody = self.recall.people.alike.get(key, ())
            known = self._alike[key] = [number for number in everybody if number in contacts]
        return known
