"""What a score means here: how many of 100 mails that were right look at least as suspicious.

A place's own mail decides, once there is enough of it; until then the places that the model was trained on.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from math import exp, log

from mailguard.core.recall.trees import Trees

# As many of a place's own mails weigh as much as all that the training saw.
_PRIOR = 400
_KEPT = 4000
# A score may come back from a scale from 0 to 1, and not be the same to the last digit.
_SAME = 1e-6
# From here on most mail answers other mail by its References: a mailing list, or a relay that sees both ways.
_THREADED = 0.35


class Calibration:
    """The scores of mail that went out and was not called back, the latest of them, against those of
    training."""

    __slots__ = ("_own", "_sorted", "_trees")

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._own: deque[float] = deque()
        # The same in order: every recipient of every mail is looked up in it.
        self._sorted: list[float] = []

    def passed(self, score: float) -> None:
        """A mail with this score went out, and nobody stopped it."""
        self._own.append(score + _SAME)
        insort(self._sorted, score + _SAME)
        if len(self._own) > _KEPT:
            del self._sorted[bisect_left(self._sorted, self._own.popleft())]

    def rate(self, score: float, threaded: float) -> float:
        """How many of 100 right mails score at least this, 0 to 100."""
        places = self._trees.usual
        share = min(1.0, max(0.0, threaded / _THREADED - 0.5))
        expected = share * _rate(places["list"], score) + (1 - share) * _rate(places["relay"], score)
        above = len(self._sorted) - bisect_left(self._sorted, score)
        return (_PRIOR * expected + 100 * above) / (_PRIOR + len(self._own))


def _rate(usual: Sequence[tuple[float, float]], score: float) -> float:
    """Read between the points (rate, score), which go from common to rare, on a logarithmic scale."""
    before = (100.0, usual[0][1] - 4.0)
    for rate, at in usual:
        if score < at:
            part = max(0.0, (score - before[1]) / ((at - before[1]) or 1.0))
            return min(before[0], exp(log(before[0]) + part * (log(rate) - log(before[0]))))
        before = (rate, at)
    # Beyond what was measured: half as often with each step of one.
    return before[0] * exp(-0.7 * min(60.0, score - before[1]))
