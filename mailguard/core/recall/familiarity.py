"""Evidence of habit: how well the sender, and everybody else here, knows an address; and near misses of
it."""

from collections.abc import Iterator
from math import exp, log1p

from mailguard.core.recall.mistyping import near_domain, slips
from mailguard.core.recall.people import WEBMAIL, Person
from mailguard.core.recall.scene import DAY, Scene

_NEVER = 400.0

FEATURES = (
    ("habit.count", -1),
    ("habit.new", 1),
    ("habit.days", 1),
    ("habit.month", -1),
    ("habit.last10", -1),
    ("habit.last50", -1),
    ("habit.days_back", 1),
    ("habit.back", -1),
    ("habit.unanswered", 0),
    ("habit.subjects", -1),
    ("habit.alone", 0),
    ("habit.listed", 1),
    ("habit.share", -1),
    ("sender.mails", 0),
    ("sender.contacts", 0),
    ("domain.outside", 0),
    ("domain.webmail", 0),
    ("domain.outsider", 0),
    ("domain.mails", -1),
    ("domain.known", -1),
    ("domain.same", -1),
    ("domain.outsiders", 0),
    ("known.met", -1),
    ("known.writers", -1),
    ("known.sent", -1),
    ("mail.recipients", 0),
    ("mail.reply", 0),
    ("mail.forward", 0),
    ("mail.own", 0),
    ("mail.quoted", 0),
    ("spelling.slip", 1),
    ("spelling.habit", 1),
    ("spelling.domain", 1),
)


def of(scene: Scene, person: Person) -> Iterator[float]:
    """The values of FEATURES for one recipient."""
    yield from _habit(scene, person)
    yield from _domain(scene, person)
    # What everybody here knows of him counts for little: most who got one mail got it rightly. Small numbers
    # are cut off, so that having been seen often never makes an address look more suspect than never.
    yield float(person.got + person.sent > 0)
    yield float(len(person.writers))
    yield float(person.sent > 0)
    reading = scene.reading
    yield log1p(len(scene.recipients))
    yield float(reading.observation.is_reply)
    yield float(reading.observation.is_forward)
    yield log1p(reading.own_length)
    yield float(bool(reading.quotation.blocks)) + float(bool(reading.quotation.quoted))
    yield from _spelling(scene, person)


def _days(scene: Scene, mail: int) -> float:
    return max(0.0, (scene.now - scene.recall.time(mail)) / DAY)


def _habit(scene: Scene, person: Person) -> Iterator[float]:
    habits, number = scene.habits, person.number
    contact = habits.contacts.get(number)
    mails = contact.mails if contact else ()
    count = contact.count if contact else 0
    days = _days(scene, mails[-1]) if mails else _NEVER
    yield log1p(count)
    yield float(not count)
    yield log1p(min(days, _NEVER))
    yield log1p(sum(exp(-_days(scene, mail) / 30) for mail in mails[-24:]))
    yield float(sum(number in group for group in scene.latest[-10:]))
    yield float(sum(number in group for group in scene.latest))
    back = scene.recall.habits.get(number)
    answer = back.contacts.get(scene.sender.number) if back else None
    days_back = _days(scene, answer.mails[-1]) if answer and answer.mails else _NEVER
    yield log1p(min(days_back, _NEVER))
    yield log1p(answer.count if answer else 0)
    yield float(days_back < days) * exp(-days_back / 7)
    recall = scene.recall
    latest = mails[-24:]
    yield log1p(len({recall.subjects[mail - recall.first] for mail in latest if mail not in scene.present}))
    yield sum(len(recall.group(mail)) == 1 for mail in latest) / len(latest) if latest else -1.0
    listed = contact.listed / count if contact and count > 2 else 0.5
    yield 1 - listed if person.address in scene.listed else listed
    yield count / (1.0 + len(habits.mails))
    yield log1p(len(habits.mails))
    yield log1p(len(habits.contacts))


def _domain(scene: Scene, person: Person) -> Iterator[float]:
    outside = scene.outside.get(person.number, False)
    others = scene.others(person)
    outsiders = sum(scene.outside[other.number] for other in others)
    yield float(outside)
    yield float(person.domain in WEBMAIL)
    yield float(outside and bool(others) and not outsiders)
    yield log1p(scene.habits.domains.get(person.domain, 0))
    yield float(min(scene.recall.people.domains.get(person.domain, 0), 3))
    yield sum(other.domain == person.domain for other in others) / len(others) if others else -1.0
    yield outsiders / len(others) if others else -1.0


def _spelling(scene: Scene, person: Person) -> Iterator[float]:
    """Whether an address that nobody ever used is one letter away from one that is."""
    people = scene.recall.people
    near = 0.0
    habit = 0
    if person.number < 0:
        for number, value in slips(scene, person).items():
            contact = scene.habits.contacts.get(number)
            near, habit = max(near, value), max(habit, contact.count if contact else 0)
    yield near
    yield log1p(habit)
    yield float(
        person.number < 0 and person.domain not in people.domains and near_domain(scene, person.domain)
    )
