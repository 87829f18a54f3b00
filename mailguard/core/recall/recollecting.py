"""What the memory knows of one mail, as the plain values that the checks read (core/recollection.py)."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from mailguard.core import lookalike
from mailguard.core.recall import customs
from mailguard.core.recall.mistyping import misspelt
from mailguard.core.recall.people import Person, organisation
from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recall.scene import Scene
from mailguard.core.recall.spelling import slip
from mailguard.core.recollection import Acquaintance, Companion, Contact, Recollection

# A shorter beginning or name part is shared by chance.
_ALIKE = 4
_MOST_RECIPIENTS = 12
# Of more recipients than this, the most suspect are compared with others.
_CLOSELY = 12
# The sender's latest mails to the same recipients that tell whom they usually are with.
_LATELY = 20
_COMPANIONS = 3
# Another address of the sender's is usual where it was used so many times as often.
_TIMES = 4
# Domains that a stranger's is compared with; the rest are compared only where they are spelt nearly alike.
_DOMAINS = 300
_LOCAL_LIKENESS = 2
# A domain is known well enough to be imitated from so many mails on.
_ESTABLISHED = 2


class Judge(Protocol):
    """Finds out how suspect the recipients of a mail are."""

    @property
    def fingerprint(self) -> int:
        """Another one gives other suspicions, and nothing of it can be compared with this one's."""

    def suspicion(self, scene: Scene) -> Mapping[str, tuple[float, float]]:
        """By address: the suspicion, 0 to 1, and how many of a thousand right mails have one as suspect."""

    def passed(self, suspicion: float) -> None:
        """A mail whose most suspect recipient had this suspicion went out, and nobody stopped it."""


def recollect(
    memory: Remembrance,
    scene: Scene,
    *,
    suspicions: Mapping[str, tuple[float, float]] | None = None,
    meant: frozenset[tuple[str, str]] = frozenset(),
    own_addresses: Collection[str] = (),
    internal: Collection[str] = (),
    invited: Collection[str] = (),
    crowd: int = 0,
) -> Recollection:
    """Look everything up about a mail.

    `suspicions` are the judge's, None where there is none. `own_addresses` are those that the login may send
    as (patterns among them are passed over), `internal` our own domains, `invited` whom an invitation in the
    mail reaches. Of more outsiders than `crowd` the policy may speak.
    """
    history = _History(memory, scene)
    judged = suspicions or {}
    closely = _closely(scene, judged)
    people = [history.acquaintance(one, judged, closely=one.number in closely) for one in scene.recipients]
    known = scene.recall.people.known
    mine = {scene.sender.number, *(scene.recall.people.numbers.get(one, -1) for one in own_addresses)}
    hidden = history.answered and mine.isdisjoint(history.answered)
    return Recollection(
        mails=len(scene.habits.mails),
        people={one.address: one for one in people},
        missing=tuple(_missing(memory, scene)),
        identity=_identity(scene, own_addresses),
        answered=tuple(sorted(filter(None, (known[number].address for number in history.answered)))),
        through_list=bool(scene.thread.answered) and memory.through_list(scene.thread.answered),
        unnamed=customs.unnamed(memory, scene, history.answered, mine) if hidden else 0,
        crowds=customs.crowds(memory, scene, crowd),
        greeted=_greeted(scene),
        invited=frozenset(one for one in invited if _known_to(scene, one)),
        organisations=_organisations(scene, internal),
        meant=meant,
    )


def _known_to(scene: Scene, who: str) -> bool:
    """Whether the sender wrote to somebody, or heard from him."""
    number = scene.recall.people.numbers.get(who, -1)
    back = scene.recall.habits.get(number)
    return number in scene.habits.contacts or (back is not None and scene.sender.number in back.contacts)


def _closely(scene: Scene, judged: Mapping[str, tuple[float, float]]) -> Collection[int]:
    """Of a crowd the most suspect few."""
    if len(scene.recipients) <= _CLOSELY:
        return scene.numbers
    order = sorted(scene.recipients, key=lambda person: -judged.get(person.address, (0.0, 0.0))[0])
    return {person.number for person in order[:_CLOSELY]}


def _greeted(scene: Scene) -> Contact | None:
    """Who is meant by this greeting otherwise, and is not on the mail."""
    if not scene.reading.greeted:
        return None
    often = Counter[int]()
    for who in scene.greeted:
        often.update(who)
    if not often or not scene.numbers.isdisjoint(often):
        return None
    number, mails = max(often.items(), key=lambda pair: (pair[1], -pair[0]))
    address = scene.recall.people.known[number].address
    return Contact(address=address, mails=mails) if address else None


class _History:
    """The conversation of one mail as everybody in it could see it."""

    def __init__(self, memory: Remembrance, scene: Scene) -> None:
        self._memory = memory
        self._scene = scene
        thread, recall = scene.thread, scene.recall
        self._wrote = {recall.sender(mail) for mail in thread.mails}
        self._took_part = set(self._wrote)
        self._before: set[int] = set()
        for mail in thread.mails:
            named = memory.named(mail)
            self._took_part |= named
            if mail < thread.answered:
                self._before |= {*named, recall.sender(mail)}
        # Found by its subject, it may be another mail that is answered; and whoever follows up his own mail
        # is not named in its To and Cc, and put there himself whoever is.
        by_id = thread.found == 1 and thread.answered
        others = by_id and recall.sender(thread.answered) != scene.sender.number
        self.answered = memory.named(thread.answered) if others else frozenset()

    def acquaintance(
        self, person: Person, suspicions: Mapping[str, tuple[float, float]], *, closely: bool
    ) -> Acquaintance:
        """One recipient; whom he could be mistaken for is only looked for `closely`."""
        scene, number = self._scene, person.number
        contact = scene.habits.contacts.get(number)
        mails = contact.count if contact else 0
        back = scene.recall.habits.get(number)
        answers = back.contacts.get(scene.sender.number) if back else None
        known = mails > 0 or (self._memory.seen(number) and person.got + person.sent > 0)
        domain_known = person.domain in scene.recall.people.domains
        suspicion, per_thousand = suspicions.get(person.address, (0.0, 1000.0))
        return Acquaintance(
            address=person.address,
            mails=mails,
            last_at=_time(scene.recall.time(contact.mails[-1])) if contact and contact.mails else None,
            back=answers.count if answers else 0,
            domain_mails=scene.habits.domains.get(person.domain, 0),
            known_here=known,
            domain_known=domain_known,
            usual=_usual(scene, person, mails) if closely else None,
            near=_near(self._memory, scene, person) if closely and not known else None,
            near_domain=_near_domain(scene, person.domain) if closely and not domain_known else "",
            in_thread=number in self._took_part,
            wrote=number in self._wrote,
            added=number in self.answered and number not in self._before and number not in self._wrote,
            suspicion=suspicion,
            per_thousand=per_thousand,
        )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _contact(scene: Scene, number: int) -> Contact:
    contact = scene.habits.contacts.get(number)
    return Contact(address=scene.recall.people.known[number].address, mails=contact.count if contact else 0)


def _usual(scene: Scene, person: Person, mails: int) -> Contact | None:
    """The contact whom an autocompletion would have offered as well, where the sender writes to him more."""
    contacts, known = scene.habits.contacts, scene.recall.people.known
    if not contacts:
        return None
    shown = _shown(scene, person)
    found = {number for key in (*person.keys, *shown) for number in scene.alike(key)} - scene.on_it
    best, most = -1, mails
    for number in found:
        count = contacts[number].count
        if count < most or (count == most and number >= best):
            continue
        # Whether two are namesakes is the dearest question, and asked last.
        if known[number].address and _namesakes(person, shown, known[number]):
            best, most = number, count
    return _contact(scene, best) if best >= 0 else None


def _shown(scene: Scene, person: Person) -> frozenset[str]:
    """The longer parts of a person's display name."""
    return frozenset(part for part in person.named if len(part) >= _ALIKE)


def _namesakes(one: Person, shown: frozenset[str], other: Person) -> bool:
    if one.local[:_ALIKE] == other.local[:_ALIKE] and len(one.local) >= _ALIKE:
        return True
    names = {part for part in (*other.parts, *other.named) if len(part) >= _ALIKE}
    return not names.isdisjoint(shown) or any(part in names for part in one.parts)


def _near(memory: Remembrance, scene: Scene, person: Person) -> Contact | None:
    """The known address that a stranger's is a slip of; nobody whom only others know, and only blind."""
    found = misspelt(scene, person) if person.number < 0 else None
    if found is None or slip(person, found) < 1:
        return None
    if found.number not in scene.habits.contacts and not memory.seen(found.number):
        return None
    return _contact(scene, found.number)


def _near_domain(scene: Scene, domain: str) -> str:
    """The known domain that a stranger's could be mistaken for, one that the sender writes to first."""
    people = scene.recall.people
    for known in (scene.habits.domains, people.domains):
        some = known if len(known) <= _DOMAINS else _close(domain, known)
        alike = [one for one in some if lookalike.alike(domain, one) and not lookalike.two_firms(domain, one)]
        # What was used once may be the slip itself, and this one the right one.
        if found := next((one for one in sorted(alike) if people.exchanged(one) >= _ESTABLISHED), ""):
            return found
    return ""


def _close(domain: str, others: Mapping[str, int]) -> Iterator[str]:
    """Those of very many that are as long and begin or end alike: the others cost too much to look at."""
    length, start, end = len(domain), domain[:1], domain[-_LOCAL_LIKENESS:]
    for other in others:
        if -2 < len(other) - length < 2 and (other[:1] == start or other[-_LOCAL_LIKENESS:] == end):
            yield other


def _missing(memory: Remembrance, scene: Scene) -> Iterator[Companion]:
    """Who was on most of the sender's last mails to all of these recipients, in other conversations."""
    recipients = scene.recipients
    if not scene.habits.contacts or not recipients or len(recipients) > _MOST_RECIPIENTS:
        return
    common = frozenset.intersection(*(scene.together(person.number) for person in recipients))
    mails = sorted(common)[-_LATELY:]
    known = scene.recall.people.known
    members = Counter(number for mail in mails for number in memory.named(mail))
    usual = sorted((-often, number) for number, often in members.items() if often * 2 > len(mails))
    for often, number in usual[: 4 * _COMPANIONS]:
        if number not in scene.on_it and known[number].address:
            yield Companion(address=known[number].address, together=-often, of=len(mails))


def _identity(scene: Scene, own_addresses: Collection[str]) -> Contact | None:
    """Another of the sender's own addresses that all these recipients usually hear from."""
    if not own_addresses:
        return None
    numbers = [person.number for person in scene.recipients[:_MOST_RECIPIENTS]]
    if not numbers:
        return None
    contacts = scene.habits.contacts
    mine = max(contacts[number].count if number in contacts else 0 for number in numbers)
    best: tuple[int, str] = (0, "")
    for address in own_addresses:
        number = scene.recall.people.numbers.get(address, -1)
        habits = scene.recall.habits.get(number)
        if habits is None or number == scene.sender.number:
            continue
        often = min(habits.contacts[one].count if one in habits.contacts else 0 for one in numbers)
        best = max(best, (often, address))
    return Contact(address=best[1], mails=best[0]) if best[0] > _TIMES * mine else None


def _organisations(scene: Scene, internal: Collection[str]) -> frozenset[str]:
    if not scene.habits.domains:
        return frozenset()
    inside = frozenset(map(organisation, internal)) or frozenset((scene.sender.domain,))
    return scene.habits.domains_beyond(inside)
