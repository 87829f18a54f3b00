"""The memory of an organisation's mail, made from Observations: what the judge looks things up in.

In memory only, bounded per person, per word and per thread, and never the truth: the log of Observations is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from mailguard.core.recall.habits import Habits
from mailguard.core.recall.observation import Observation
from mailguard.core.recall.people import People, Person
from mailguard.core.recall.postings import Postings
from mailguard.core.recall.topics import Topics

_TOPIC_LIMIT = 32
_SEEN = 48
_PER_SUBJECT = 24
_WRITERS = 4
# A mail to more people than this says nothing of who belongs together.
CROWD = 60
_CHAIN = 12
_LATELY = 500


class Recall:
    """All that was observed. One thread at a time; judging changes nothing."""

    __slots__ = (
        "_ids",
        "_subjects",
        "first",
        "habits",
        "lengths",
        "parents",
        "people",
        "recipients",
        "seen",
        "senders",
        "subjects",
        "threaded",
        "times",
        "topics",
        "weights",
    )

    def __init__(self) -> None:
        self.people = People()
        self.habits: dict[int, Habits] = {}
        self.topics = Topics(_TOPIC_LIMIT)
        # Of each mail, by its number less `first`: when, from whom, to whom, its subject, the mail that it
        # answers or 0, and its lengths as a vector of words, by the sender's frequencies and by everybody's.
        self.first = 1
        self.times: array[int] = array("q")
        self.senders: array[int] = array("I")
        self.recipients: list[tuple[int, ...]] = []
        self.subjects: array[int] = array("Q")
        self.parents: array[int] = array("I")
        self.lengths: array[float] = array("f")
        self.weights: array[float] = array("f")
        # The latest mails with each person, as sender or recipient.
        self.seen: dict[int, array[int]] = {}
        # How much of the mail lately answers another by its References: 0 where only outgoing mail is seen.
        self.threaded = 0.0
        self._ids = Postings(64, 1)
        self._subjects = Postings(64, 2 * _PER_SUBJECT)

    def __len__(self) -> int:
        return len(self.times)

    def observe(self, observation: Observation) -> None:
        """A mail really went out, or came in. In the order of time, or nearly so."""
        people = self.people
        sender = people.met(observation.sender)
        recipients = [people.met(address) for address in observation.recipients]
        for address, name in observation.names:
            people.name(address, name)
        mail = self.first + len(self.times)
        habits = self.habits.get(sender.number)
        if habits is None:
            habits = self.habits[sender.number] = Habits()
        group = self._group(habits, tuple(person.number for person in recipients))
        self.lengths.append(habits.sent(mail, observation, recipients))
        self.weights.append(self.topics.add(mail, observation.terms))
        self.times.append(observation.when)
        self.senders.append(sender.number)
        self.recipients.append(group)
        self.subjects.append(observation.subject)
        self._known_to(sender, recipients)
        self._thread(mail, observation)
        if len(recipients) <= CROWD:
            for person in (sender, *recipients):
                self._see(person.number, mail)

    def _group(self, habits: Habits, group: tuple[int, ...]) -> tuple[int, ...]:
        """The same group, as the sender's last mail to the first of them has it: many go to the same people,
        and need not be kept twice."""
        latest = habits.latest(group[0]) if group else 0
        return self.group(latest) if latest and self.group(latest) == group else group

    def _known_to(self, sender: Person, recipients: Sequence[Person]) -> None:
        sender.sent += 1
        for person in recipients:
            person.got += 1
            if len(person.writers) < _WRITERS and sender.number not in person.writers:
                person.writers = (*person.writers, sender.number)

    def _see(self, number: int, mail: int) -> None:
        seen = self.seen.get(number)
        if seen is None:
            seen = self.seen[number] = array("I")
        seen.append(mail)
        if len(seen) > 2 * _SEEN:
            del seen[:_SEEN]

    def _thread(self, mail: int, observation: Observation) -> None:
        if observation.message_id:
            self._ids.add(observation.message_id, mail)
        parent = self.answered(observation)
        self.threaded += (bool(parent) - self.threaded) / _LATELY
        self.parents.append(parent)
        if observation.subject:
            self._subjects.add(observation.subject, mail)

    # ------------------------------------------------------------------ asked by the judge

    def answered(self, observation: Observation) -> int:
        """The latest known mail that this one answers by its References, or 0."""
        known = filter(None, map(self._ids.find, reversed(observation.answers)))
        return next((mails[-1] for mails in known), 0)

    def chain(self, mail: int) -> Iterator[int]:
        """A mail and those before it in its thread, newest first, a bounded number of them."""
        for _ in range(_CHAIN):
            if mail < self.first:
                return
            yield mail
            mail = self.parents[mail - self.first]

    def parent(self, mail: int) -> int:
        """The mail that a mail answers, or 0."""
        parent = self.parents[mail - self.first]
        return parent if parent >= self.first else 0

    def same_subject(self, subject: int) -> Sequence[int]:
        """The latest mails with this subject, oldest first."""
        return self._subjects.find(subject)

    def time(self, mail: int) -> int:
        """When a mail was sent, in seconds since 1970."""
        return self.times[mail - self.first]

    def group(self, mail: int) -> tuple[int, ...]:
        """Whom a mail went to."""
        return self.recipients[mail - self.first]

    def sender(self, mail: int) -> int:
        """Who sent a mail."""
        return self.senders[mail - self.first]

    # ------------------------------------------------------------------ forgetting

    def erase(self, address: str) -> None:
        """Forget a person: nothing finds him, or his mail, any more. The caller takes him out of the log."""
        number = self.people.numbers.get(address)
        if number is None:
            return
        self.habits.pop(number, None)
        self.seen.pop(number, None)
        for habits in self.habits.values():
            habits.drop(number)
        self.people.erase(address)

    def forget(self, before: int) -> None:
        """Forget mails from before this time (seconds since 1970), up to the first that is not older."""
        gone = next((at for at, when in enumerate(self.times) if when >= before), len(self.times))
        if not gone:
            return
        first = self.first + gone
        groups: dict[int, list[tuple[int, ...]]] = {}
        for sender, recipients in zip(self.senders[:gone], self.recipients[:gone], strict=True):
            groups.setdefault(sender, []).append(recipients)
        for sender, recipients_of in groups.items():
            if (habits := self.habits.get(sender)) is not None:
                habits.forget(first, recipients_of)
        self.topics.forget(first)
        for held in (self.times, self.senders, self.recipients, self.subjects, self.parents):
            del held[:gone]
        for lengths in (self.lengths, self.weights):
            del lengths[:gone]
        self.first = first
        for number in list(self.seen):
            left = array("I", (mail for mail in self.seen[number] if mail >= first))
            if left:
                self.seen[number] = left
            else:
                del self.seen[number]
        self._ids.forget(first)
        self._subjects.forget(first)
