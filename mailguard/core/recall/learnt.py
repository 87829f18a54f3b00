"""The judge of the live road: the learned model, with what this place's own mail has taught of its scale."""

from collections.abc import Mapping
from math import log

from mailguard.core.recall.calibration import Calibration
from mailguard.core.recall.scene import Scene
from mailguard.core.recall.suspicion import chance, scores_of
from mailguard.core.recall.trees import Trees

_CERTAIN = 1e-12


class Learnt:
    """recollecting.Judge. One thread at a time."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._calibration = Calibration(trees)
        self.fingerprint = trees.fingerprint

    def suspicion(self, scene: Scene) -> Mapping[str, tuple[float, float]]:
        """By address: the suspicion, 0 to 1, and how many of a thousand right mails have one as suspect."""
        threaded = scene.recall.threaded
        scores = scores_of(scene, self._trees)
        # Those of a crowd who were not looked at share one score.
        found = {
            score: (chance(score), 10 * self._calibration.rate(score, threaded))
            for score in set(scores.values())
        }
        return {address: found[score] for address, score in scores.items()}

    def passed(self, suspicion: float) -> None:
        """A mail whose most suspect recipient had this suspicion went out, and nobody stopped it."""
        bounded = min(max(suspicion, _CERTAIN), 1 - _CERTAIN)
        self._calibration.passed(log(bounded / (1 - bounded)))
