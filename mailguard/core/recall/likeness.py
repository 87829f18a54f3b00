"""Evidence of likeness: names and words that point to a recipient, and the people who would fit better."""

from collections.abc import Iterator, Mapping
from math import log1p

from mailguard.core.recall.digest import Reading
from mailguard.core.recall.habits import Contact
from mailguard.core.recall.people import WEBMAIL, Person
from mailguard.core.recall.scene import Scene

# Look-alikes that are compared: of one recipient so many, of several fewer each.
_ALIKE, _ALIKE_LEAST = 24, 4
_CIRCLE = 6
# A shorter name of an organisation is a word, too.
_LABEL = 4
# So many letters of a name are telling, and so much of the sender's own an address bears: his surname, the
# beginning of it, or a first name.
_NAME = 4
_SURNAME, _BEGINNING, _FIRST = 1.0, 0.7, 0.5

FEATURES = (
    ("greeting.there", 0),
    ("greeting.fit", -1),
    ("greeting.other", 0),
    ("greeting.called", -1),
    ("greeting.known", 0),
    ("greeting.called_other", 0),
    ("greeting.called_absent", 1),
    ("spoken.name", -1),
    ("spoken.other", 0),
    ("quoted.author", -1),
    ("quoted.any", -1),
    ("quoted.other", 0),
    ("quoted.address", -1),
    ("quoted.sender", 0),
    ("quoted.domain", -1),
    ("spoken.domain", -1),
    ("text.address", -1),
    ("text.name", -1),
    ("words.votes", -1),
    ("words.most", -1),
    ("words.mean", -1),
    ("words.absent", 0),
    ("words.domain", -1),
    ("words.outside", 0),
    ("words.any", 0),
    ("common.votes", -1),
    ("common.most", -1),
    ("common.absent", 0),
    ("source.him", -1),
    ("source.absent", 1),
    ("better.count", 0),
    ("better.score", 1),
    ("better.habit", 0),
    ("better.greeting", 1),
    ("better.quoted", 1),
    ("better.words", 0),
    ("better.company", 0),
    ("better.thread", 0),
    ("better.recent", 0),
    ("better.source", 0),
    ("absent.score", 1),
    ("absent.count", 0),
    ("beside.score", 0),
    ("beside.most", 0),
    ("beside.least", 0),
    ("quoted.gone", 0),
    ("own.name", -1),
)


def of(scene: Scene, person: Person) -> Iterator[float]:
    """The values of FEATURES for one recipient."""
    others = scene.others(person)
    yield from _greeting(scene, person)
    yield from _quoted(scene, person)
    yield from _organisation(scene, person)
    yield from mentioned(scene.reading, person)
    yield from _words(scene, person)
    yield from _better(scene, person)
    yield from _absent(scene, person, others)
    yield own_name(scene.sender, person) if scene.outside.get(person.number, False) else 0.0


def own_name(sender: Person, person: Person) -> float:
    """How much of the sender's own name somebody bears, 0 to 1: outside he is the sender at home, or his
    family. The address tells it, and a displayed name of those who were met: one that nobody ever used has no
    more of it than the same one that was."""
    local, surname = "".join(person.parts), _surname(sender)
    if len(surname) >= _NAME and (surname in local or surname in person.named):
        return _SURNAME
    if len(surname) > _NAME and surname[:_NAME] in local:
        return _BEGINNING
    others = (*sender.parts[:-1], *sender.named)
    return _FIRST if any(len(part) >= _NAME and part in local for part in others) else 0.0


def _surname(person: Person) -> str:
    """What a mailbox name ends with, without the initial that his displayed name shows it to begin with."""
    last = person.parts[-1] if person.parts else ""
    return next((part for part in person.named if len(part) >= _NAME and last.endswith(part)), last)


def name_fit(person: Person, words: frozenset[str]) -> float:
    """How well the words of a header or a text name a person: 0 to 1."""
    if not words:
        return 0.0
    best = _parts_fit(person.parts, words)
    if person.named:
        best = max(best, _parts_fit(person.named, words))
    if best < 0.7 and len(person.parts) == 1 and len(person.parts[0]) > 4:
        local = person.parts[0]
        # One letter and the surname in one piece: jsmith.
        if any(len(word) > 3 and local.endswith(word) for word in words):
            best = 0.7
    return best


def _parts_fit(parts: tuple[str, ...], words: frozenset[str]) -> float:
    hits = [part for part in parts if part in words]
    if not hits:
        return 0.0
    if len(hits) == len(parts):
        return 1.0 if len(parts) > 1 or len(parts[0]) > 3 else 0.5
    return 0.6 if parts[-1] in hits and len(parts[-1]) > 2 else 0.35


def _greeting(scene: Scene, person: Person) -> Iterator[float]:
    yield float(bool(scene.reading.greeted))
    yield scene.greeting_fit(person)
    yield scene.beside(person, Scene.greeting_fit) if scene.reading.greeted else -1.0
    yield scene.called(person.number)
    yield float(len(scene.greeted) > 0)
    yield scene.beside(person, _called_fit)
    absent = (share for number, share in scene.shares_called.items() if number not in scene.numbers)
    yield max(absent, default=0.0)
    yield _spoken_fit(scene, person)
    yield scene.beside(person, _spoken_fit)


def _called_fit(scene: Scene, person: Person) -> float:
    return scene.called(person.number)


def _spoken_fit(scene: Scene, person: Person) -> float:
    fit = scene.spoken_fits.get(person.number)
    if fit is None:
        fit = scene.spoken_fits[person.number] = name_fit(person, scene.reading.spoken)
    return fit


def author_fit(scene: Scene, person: Person) -> float:
    """How well the author of the quoted mail fits a person."""
    blocks = scene.reading.quotation.blocks
    if not blocks:
        return 0.0
    fit = scene.author_fits.get(person.number)
    if fit is None:
        fit = scene.author_fits[person.number] = name_fit(person, blocks[0].author)
    return fit


def _quoted(scene: Scene, person: Person) -> Iterator[float]:
    blocks = scene.reading.quotation.blocks
    if not blocks:
        yield from (-1.0, -1.0, -1.0, 0.0, 0.0)
        return
    yield author_fit(scene, person)
    yield max(max(name_fit(person, block.author), name_fit(person, block.others)) for block in blocks)
    yield scene.beside(person, author_fit)
    yield float(person.address in scene.reading.quotation.addresses)
    yield author_fit(scene, scene.sender)


def _organisation(scene: Scene, person: Person) -> Iterator[float]:
    """Whether the text speaks of somebody's organisation, where it is another than the sender's: quotes an
    address of it, or names it."""
    if not scene.outside.get(person.number, False):
        yield from (0.0, 0.0)
        return
    yield float(person.domain in scene.quoted_domains)
    label = person.domain.partition(".")[0]
    own = len(label) >= _LABEL and person.domain not in WEBMAIL
    yield float(own and label in scene.reading.spoken)


def mentioned(reading: Reading, person: Person) -> Iterator[float]:
    """Whether the sender spells out somebody's address, as under a patch that he reported; and how well
    all words of the text name him."""
    yield float(person.address in reading.addresses)
    yield _parts_fit(person.parts, reading.mentioned)


def _words(scene: Scene, person: Person) -> Iterator[float]:
    near, votes, number = scene.near, scene.votes, person.number
    contact = scene.habits.contacts.get(number)
    likes = [near[mail] for mail in contact.mails if mail in near] if contact else []
    yield votes.get(number, 0.0)
    yield max(likes, default=0.0)
    yield sum(likes) / (3.0 + len(contact.mails)) if contact else 0.0
    yield scene.absent_vote - votes.get(number, 0.0)
    yield scene.domain_votes.get(person.domain, 0.0)
    yield scene.outside_vote
    yield scene.nearest[0][1] if scene.nearest else 0.0
    common = scene.common_votes.get(number, 0.0)
    yield common
    yield scene.common_likest.get(number, 0.0)
    yield scene.common_absent_vote - common
    him = scene.sources.get(number, 0.0)
    yield him
    yield max((value for other, value in scene.sources.items() if other not in scene.on_it), default=0.0)


def _better(scene: Scene, person: Person) -> Iterator[float]:
    """The sender's contacts that sound like him, and are not on the mail: does one of them fit better?"""
    contacts, people = scene.habits.contacts, scene.recall.people.known
    found: set[int] = set()
    for key in person.keys:
        found.update(scene.alike(key))
    found -= scene.on_it
    most = max(_ALIKE_LEAST, _ALIKE // len(scene.recipients))
    likely = _usual(contacts, found, most)
    yield log1p(len(found))
    if not likely:
        yield from (-2.0, -2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -2.0, -1.0)
        return
    own = standing(scene, person)
    them = [standing(scene, people[number]) for number in likely]
    scores = [scene.standing_scores[number] for number in likely]
    highest = max(scores)
    best = them[scores.index(highest)]
    yield highest - standing_score(scene, person)
    for at in range(len(own)):
        if at in (1, 2):
            yield max(one[at] for one in them) - own[at]
        else:
            yield best[at] - own[at]


def _usual(contacts: Mapping[int, Contact], found: set[int], most: int) -> list[int]:
    """Those of a sender's contacts whom he writes to most."""
    if len(found) > most:
        least = sorted([contacts[number].count for number in found])[-most]
        found = {number for number in found if contacts[number].count >= least}
    return sorted(found, key=lambda number: (-contacts[number].count, number))[:most]


def _absent(scene: Scene, person: Person, others: list[Person]) -> Iterator[float]:
    """Anybody who is not on the mail and would fit better, whatever his name; and how the others fit."""
    own = standing_score(scene, person)
    known = scene.recall.people.known
    scores = [standing_score(scene, known[number]) for number in scene.absent]
    yield max(scores, default=own - 4.0) - own
    yield float(sum(one > own for one in scores))
    beside = [standing_score(scene, other) for other in others]
    yield sum(beside) / len(beside) - own if beside else -9.0
    yield max(beside) - own if beside else -9.0
    yield min(beside) - own if beside else -9.0
    fits = (author_fit(scene, person), author_fit(scene, scene.sender), scene.beside(person, author_fit))
    yield 1.0 - max(fits) if scene.reading.quotation.blocks else -1.0


def standing(scene: Scene, person: Person) -> tuple[float, ...]:
    """What speaks for a person as a recipient of this mail, cheaply: habit, greeting, quoted author, words,
    company, thread, how lately, source."""
    number = person.number
    known = scene.standings.get(number)
    if known is not None:
        return known
    contact = scene.habits.contacts.get(number)
    together = scene.together(number)
    company = 0.0
    others = 0
    # Most have nothing in common with anybody, and to see that costs less than to count it.
    for other, theirs in () if together.isdisjoint(scene.circled) else scene.circle:
        if other == number or others == _CIRCLE:
            continue
        others += 1
        if not together.isdisjoint(theirs):
            company += len(together & theirs) / (1.0 + min(len(together), len(theirs)))
    days = (scene.now - scene.recall.time(contact.mails[-1])) / 86400 if contact and contact.mails else 400.0
    known = scene.standings[number] = (
        log1p(contact.count) if contact else 0.0,
        max(scene.greeting_fit(person), scene.called(number)),
        author_fit(scene, person),
        scene.votes.get(number, 0.0),
        company / others if others else 0.0,
        float(number in scene.thread.took_part),
        -log1p(max(0.0, min(days, 400.0))),
        scene.sources.get(number, 0.0),
    )
    scene.standing_scores[number] = score(known)
    return known


def belonging(scene: Scene, person: Person) -> float:
    """How well a person fits in, still cheaper: for those of a crowd who are looked at closely."""
    number = person.number
    contact = scene.habits.contacts.get(number)
    in_thread = 2.0 * (number in scene.thread.took_part)
    named = 3.0 * max(scene.greeting_fit(person), scene.called(number))
    return (
        0.5 * log1p(contact.count if contact else 0)
        + in_thread
        + named
        + 4 * scene.votes.get(number, 0.0)
        + 2 * scene.sources.get(number, 0.0)
    )


def standing_score(scene: Scene, person: Person) -> float:
    """The same as one number, to find the best of several."""
    found = scene.standing_scores.get(person.number)
    return score(standing(scene, person)) if found is None else found


def score(one: tuple[float, ...]) -> float:
    """One number of a standing, to find the best of several."""
    count, greeting, author, votes, company, thread, lately, source = one
    return (
        0.5 * count
        + 3 * greeting
        + 3 * author
        + 4 * votes
        + 3 * company
        + 2 * thread
        + 0.4 * lately
        + 2 * source
    )
