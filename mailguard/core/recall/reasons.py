"""The facts behind a suspicion that a person can check: what is unusual, and who was probably meant."""

from collections import Counter

from mailguard.core.recall.company import lurks
from mailguard.core.recall.likeness import score, standing
from mailguard.core.recall.mistyping import misspelt
from mailguard.core.recall.people import Person
from mailguard.core.recall.scene import Scene
from mailguard.core.value import dataclass

_ENOUGH = 3
_BETTER = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasons:
    """Facts about one recipient.

    `mails` is how many the sender wrote to him before, `met` whether anybody here did. `like` is the contact
    with a like name who fits better, with `like_mails`; `group_mails` of the sender's mails to the others of
    this mail, `group_usual_mails` went to `group_usual`, who is not on it, and `group_own` to this recipient.
    `greeted` is a name in the greeting that is nobody's on the mail. `misspelt` is the known address that is
    one letter away. `brought_in_by` added him to the thread just now.
    """

    mails: int
    met: bool
    like: str = ""
    like_mails: int = 0
    group_mails: int = 0
    group_usual: str = ""
    group_usual_mails: int = 0
    group_own: int = 0
    greeted: str = ""
    misspelt: str = ""
    brought_in_by: str = ""


def reasons(scene: Scene, person: Person) -> Reasons:
    """Why a recipient looks out of place."""
    people, contacts = scene.recall.people.known, scene.habits.contacts
    contact = contacts.get(person.number)
    like = _like(scene, person)
    total, own, usual, usual_mails = _group(scene, person)
    greeted = scene.reading.greeted
    fits_nobody = greeted and not any(
        scene.greeting_fit(one) or scene.called(one.number) for one in scene.recipients
    )
    meant = misspelt(scene, person) if person.number < 0 else None
    author = scene.recall.sender(scene.thread.answered) if scene.thread.answered else -1
    return Reasons(
        mails=contact.count if contact else 0,
        met=person.got + person.sent > 0,
        like=people[like].address if like is not None else "",
        like_mails=contacts[like].count if like is not None else 0,
        group_mails=total,
        group_usual=usual,
        group_usual_mails=usual_mails,
        group_own=own,
        greeted=greeted[0] if fits_nobody else "",
        misspelt=meant.address if meant else "",
        brought_in_by=people[author].address if author >= 0 and lurks(scene, person) else "",
    )


def _like(scene: Scene, person: Person) -> int | None:
    contacts, people = scene.habits.contacts, scene.recall.people.known
    found = {other for key in person.keys for other in scene.alike(key)} - scene.on_it
    likely = sorted(found, key=lambda number: (-contacts[number].count, number))[:24]
    best = max(likely, key=lambda number: score(standing(scene, people[number])), default=None)
    if best is None or score(standing(scene, people[best])) < score(standing(scene, person)) + _BETTER:
        return None
    return best


def _group(scene: Scene, person: Person) -> tuple[int, int, str, int]:
    others = scene.others(person)
    if not others:
        return 0, 0, "", 0
    together = frozenset.intersection(*(scene.together(other.number) for other in others))
    members = Counter(number for mail in together for number in set(scene.recall.group(mail)))
    absent = [(count, number) for number, count in members.items() if number not in scene.on_it]
    own = members[person.number]
    if len(together) < _ENOUGH or not absent:
        return len(together), own, "", 0
    count, number = max(absent)
    address = scene.recall.people.known[number].address
    return (len(together), own, address, count) if count > own and address else (len(together), own, "", 0)
