"""The judgement: one suspicion per recipient, one for the mail, and which of them deserve a warning."""

from collections.abc import Collection, Mapping
from dataclasses import field
from math import exp

from mailguard.core.recall.calibration import Calibration
from mailguard.core.recall.company import lurks
from mailguard.core.recall.digest import Reading
from mailguard.core.recall.evidence import evidence
from mailguard.core.recall.likeness import belonging
from mailguard.core.recall.reasons import Reasons, reasons
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.scene import Scene
from mailguard.core.recall.trees import Trees
from mailguard.core.value import dataclass

# A silent outsider whom somebody else brought in looks safe to a model, because he is in the thread. The rule
# weighs as much as the plainest slip.
_LURKER = 4.0
# Of more recipients than this, those who fit in least are judged: nobody belongs to a crowd one by one.
_JUDGED = 12
# What the comparison of the recipients with each other weighs beside what each is suspected of by himself.
_ORDER = 1.0
# Of a sender with fewer mails there are no habits yet, and a greeting that is nobody's counts by itself.
_YOUNG, _YOUNG_GREETING = 10, 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspicion:
    """What was found. `scores` are log odds by address; `score` is the mail's, the highest of them; `rate` is
    how many of 100 right mails look as suspicious. `reasons` explain the recipients worth a warning."""

    scores: Mapping[str, float]
    score: float
    rate: float
    reasons: Mapping[str, Reasons] = field(default_factory=dict)


def judge(
    recall: Recall,
    reading: Reading,
    trees: Trees,
    calibration: Calibration,
    *,
    internal: Collection[str] = (),
    warnings: float = 2.0,
) -> Suspicion:
    """Judge a mail; the memory stays as it is. `warnings` is how many of 100 right mails may get one."""
    scene = Scene(recall, reading, internal)
    scores = scores_of(scene, trees)
    score = max(scores.values(), default=0.0)
    rate = calibration.rate(score, recall.threaded) if scores else 100.0
    explained = {}
    if rate <= warnings:
        explained = {
            person.address: reasons(scene, person)
            for person in scene.recipients
            if calibration.rate(scores[person.address], recall.threaded) <= warnings
        }
    return Suspicion(scores=scores, score=score, rate=rate, reasons=explained)


def scores_of(scene: Scene, trees: Trees) -> dict[str, float]:
    """The score of each recipient, as log odds. Of a crowd those are judged who fit in least; the others
    share the lowest score."""
    chosen = scene.recipients
    if len(chosen) > _JUDGED:
        chosen = sorted(chosen, key=lambda person: belonging(scene, person))[:_JUDGED]
    young = _YOUNG_GREETING if greets_nobody(scene) else 0.0
    scores: dict[str, float] = {}
    order: dict[str, float] = {}
    for person in chosen:
        values = evidence(scene, person)
        value = trees.score(values) + young + _LURKER * lurks(scene, person)
        scores[person.address] = value
        if len(chosen) > 1:
            order[person.address] = value + _ORDER * trees.rank(values)
    if order:
        # The mail is as suspect as its most suspect recipient; who that is, a comparison tells better.
        highest, first = max(scores.values()), max(order.values())
        scores = {address: highest - (first - place) for address, place in order.items()}
    lowest = min(scores.values(), default=0.0)
    return {person.address: scores.get(person.address, lowest) for person in scene.recipients}


def greets_nobody(scene: Scene) -> bool:
    """Whether a sender without habits yet greets somebody whom no recipient can be. Later the model knows
    better: it has seen whom he calls what."""
    if not scene.reading.greeted or len(scene.habits.mails) >= _YOUNG:
        return False
    # A mailbox such as info@ tells nothing of who reads it.
    named = all(len(person.parts) > 1 or person.named for person in scene.recipients)
    return named and not any(
        scene.greeting_fit(person) or scene.called(person.number) for person in scene.recipients
    )


def chance(score: float) -> float:
    """A score on a scale from 0 to 1, in the same order."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, score))))
