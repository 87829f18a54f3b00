"""The evidence of one recipient by name, for the tests of its parts."""

from mailguard.core.recall.evidence import NAMES, evidence
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.scene import Scene
from tests.core.recall.letters import reading


def evidence_of(recall: Recall, one: Letter, address: str) -> dict[str, float]:
    """What speaks for and against a recipient."""
    scene = Scene(recall, reading(one))
    person = next(person for person in scene.recipients if person.address == address)
    return dict(zip(NAMES, evidence(scene, person), strict=True))
