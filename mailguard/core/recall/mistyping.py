"""Whom a stranger's address was meant for: known addresses and domains one slip of the finger away."""

from mailguard.core.recall.people import Person, ending
from mailguard.core.recall.scene import Scene
from mailguard.core.recall.spelling import one_apart, slip

# Of those whom everybody here knows by the same letters, so many are compared.
_CANDIDATES = 300


def slips(scene: Scene, stranger: Person) -> dict[int, float]:
    """By number: the known people whose address a stranger's may be a slip of, and how likely that is
    (spelling.slip).

    The sender's contacts whose mailbox names end alike are among those who are compared: a slip in the first
    letters.
    """
    found = scene.slips.get(stranger.number)
    if found is None:
        people = scene.recall.people
        near = {other for key in stranger.keys for other in people.alike.get(key, ())[:_CANDIDATES]}
        near.update(scene.alike(ending(stranger.local)))
        found = {
            number: value
            for number in near
            if people.known[number].address and (value := slip(stranger, people.known[number]))
        }
        scene.slips[stranger.number] = found
    return found


def misspelt(scene: Scene, stranger: Person) -> Person | None:
    """The known address that a stranger's is a slip of, the sender's own contacts first."""
    found = slips(scene, stranger)
    contacts = scene.habits.contacts
    best = max(found, key=lambda number: (number in contacts, found[number], -number), default=None)
    return None if best is None else scene.recall.people.known[best]


def near_domain(scene: Scene, domain: str) -> bool:
    """Whether a domain nobody knows is one letter away from one that the sender writes to."""
    return any(
        abs(len(other) - len(domain)) < 2 and one_apart(domain, other) for other in scene.habits.domains
    )
