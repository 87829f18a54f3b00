"""The evidence about each recipient of a mail, as numbers for the model, in one fixed order."""

from mailguard.core.recall import company, familiarity, likeness
from mailguard.core.recall.people import Person
from mailguard.core.recall.scene import Scene

FEATURES = (*familiarity.FEATURES, *company.FEATURES, *likeness.FEATURES)
NAMES = tuple(name for name, _ in FEATURES)
# +1: more of it is never less suspect; -1: never more; 0: the model decides.
SIGNS = tuple(sign for _, sign in FEATURES)


def evidence(scene: Scene, person: Person) -> list[float]:
    """The features of one recipient, in the order of NAMES."""
    return [*familiarity.of(scene, person), *company.of(scene, person), *likeness.of(scene, person)]
