"""Evidence of company: who is on mail together, in this conversation and otherwise."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from math import log1p

from mailguard.core.recall.people import Person
from mailguard.core.recall.scene import Scene

_GROUPS = 12
_SHARED = 12

FEATURES = (
    ("company.mean", -1),
    ("company.most", -1),
    ("company.share", -1),
    ("company.subjects", -1),
    ("company.fit", 0),
    ("company.loss", 0),
    ("company.usual", -1),
    ("company.usual_count", 0),
    ("company.instead", 0),
    ("common.mean", -1),
    ("common.share", -1),
    ("common.write", -1),
    ("common.friends", -1),
    ("thread.found", 0),
    ("thread.in", -1),
    ("thread.wrote", -1),
    ("thread.answered", -1),
    ("thread.addressed", -1),
    ("thread.others", 0),
    ("thread.author_gone", 0),
    ("thread.joined", 0),
    ("thread.mails_to", -1),
    ("thread.mails_from", -1),
    ("sender.threads", 0),
)


def of(scene: Scene, person: Person) -> Iterator[float]:
    """The values of FEATURES for one recipient."""
    others = scene.others(person)
    yield from _pairs(scene, person, others)
    yield from _groups(scene, person, others)
    yield from _common(scene, person, others)
    yield from _thread(scene, person, others)


def _pairs(scene: Scene, person: Person, others: list[Person]) -> Iterator[float]:
    if not others:
        yield from (-1.0, -1.0, -1.0, 0.0)
        return
    total = most = 0.0
    met = 0
    shared: set[int] = set()
    for other in others:
        both, value = scene.common_mails(person.number, other.number)
        if both:
            met += 1
            total += value
            most = max(most, value)
            shared |= both
    yield total / len(others)
    yield most
    yield met / len(others)
    recall = scene.recall
    yield log1p(len({recall.subjects[mail - recall.first] for mail in shared}))


def _groups(scene: Scene, person: Person, others: list[Person]) -> Iterator[float]:
    """How well this group, with and without him, fits one that the sender wrote to before."""
    if not others:
        yield from (-1.0, 0.0, -1.0, 0.0, 0.0)
        return
    group = scene.numbers
    with_him = without = 0.0
    for past, both in scene.past_groups:
        members = len(past)
        with_him = max(with_him, both / (members + len(group) - both))
        left = both - (person.number in past)
        without = max(without, left / (members + len(group) - 1 - left))
    yield with_him
    yield without - with_him
    usual = frozenset.intersection(*(scene.together(other.number) for other in others))
    if not usual:
        yield from (-1.0, 0.0, 0.0)
        return
    often = Counter(chain.from_iterable(map(scene.recall.group, usual)))
    own = often[person.number] / len(usual)
    yield own
    yield log1p(len(usual))
    instead = max((count for number, count in often.items() if number not in group), default=0)
    yield instead / len(usual) - own


def _common(scene: Scene, person: Person, others: list[Person]) -> Iterator[float]:
    recall = scene.recall
    mine = scene.seen(person.number)
    if others:
        total = 0.0
        met = wrote = 0
        his = recall.habits.get(person.number)
        for other in others:
            value = scene.common_share(person.number, other.number)
            met += value > 0
            total += value
            hers = recall.habits.get(other.number)
            wrote += bool((his and other.number in his.contacts) or (hers and person.number in hers.contacts))
        yield from (total / len(others), met / len(others), wrote / len(others))
    else:
        yield from (-1.0, -1.0, -1.0)
    contacts = scene.habits.contacts
    around: set[int] = set()
    for mail in sorted(mine)[-_SHARED:]:
        group = recall.group(mail)
        around.add(recall.sender(mail))
        if len(group) <= 12:
            around.update(group)
    around -= {person.number, scene.sender.number}
    yield sum(number in contacts for number in around) / (2.0 + len(around))


def _thread(scene: Scene, person: Person, others: list[Person]) -> Iterator[float]:
    thread, recall, number, me = scene.thread, scene.recall, person.number, scene.sender.number
    yield float(thread.found)
    inside = number in thread.took_part
    yield float(inside)
    yield float(number in thread.wrote)
    author = recall.sender(thread.answered) if thread.answered else -1
    yield float(author == number)
    yield float(bool(thread.answered) and number in recall.group(thread.answered))
    yield (
        sum(other.number in thread.took_part for other in others) / len(others)
        if others and thread.found
        else -1.0
    )
    yield float(author >= 0 and author not in scene.numbers and author != me)
    yield float(
        inside and bool(thread.answered) and number not in thread.before and number not in thread.wrote
    )
    to_him, from_him = scene.on_subject
    yield log1p(to_him[number])
    yield log1p(from_him[number])
    yield recall.threaded


def lurks(scene: Scene, person: Person) -> bool:
    """Whether a reply to all carries an outsider whom somebody else brought in with the mail that is
    answered, while everybody else is internal: he never wrote in the thread, and the sender never wrote to
    him in it."""
    thread = scene.thread
    if not thread.answered or not scene.outside[person.number] or len(scene.recipients) < 2:
        return False
    if any(scene.outside[other.number] for other in scene.recipients if other.number != person.number):
        return False
    number, me, recall = person.number, scene.sender.number, scene.recall
    if number not in thread.took_part or number in thread.wrote or number in thread.before:
        return False
    return not any(recall.sender(mail) == me and number in recall.group(mail) for mail in thread.mails)
