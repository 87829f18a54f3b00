"""The figures of the table: how many leaks are found at so many false alarms in 100 right mails."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RATES = (0.2, 1.0, 2.0, 5.0)
# The address that nobody ever used has a line of its own, and so has the wrong person without likeness.
APART = ("typo", "other")


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One mail that was judged: its kind, its score, and the scores of its recipients."""

    part: str
    user: str
    kind: str
    score: float
    scores: Mapping[str, float]
    leak: str

    @property
    def first(self) -> float:
        """1 where the leak is the most suspect recipient; shared with those who are just as suspect."""
        top = max(self.scores.values())
        return 1 / sum(one == top for one in self.scores.values()) if self.scores[self.leak] == top else 0.0


def threshold(clean: Sequence[float], rate: float) -> tuple[float, float]:
    """Flag what scores above the first number, and what equals it in this share of cases, so that exactly
    `rate` of 100 right mails are flagged."""
    falling = sorted(clean, reverse=True)
    count = rate / 100 * len(falling)
    at = falling[min(int(count), len(falling) - 1)]
    above = sum(one > at for one in falling)
    return at, (count - above) / falling.count(at)


def flagged(score: float, limit: tuple[float, float]) -> float:
    """Whether a score is flagged: 0, 1, or a share where it stands on the line."""
    return 1.0 if score > limit[0] else limit[1] if score == limit[0] else 0.0


def area(leaks: Sequence[float], clean: Sequence[float]) -> float:
    """How often a leak scores above a right mail (the area under the ROC curve)."""
    rising = sorted(clean)
    sums = (bisect_left(rising, one) + bisect_right(rising, one) for one in leaks)
    return sum(sums) / 2 / max(1, len(leaks)) / max(1, len(rising))


def table(judged: Sequence[Judged]) -> list[str]:
    """The lines of the table."""
    test = [one for one in judged if one.part == "test"]
    clean = [one.score for one in test if one.kind == "clean"]
    limits = [threshold(clean, rate) for rate in RATES]
    lines = [
        f"{len(clean)} right mails of {len({one.user for one in test})} users; found at {RATES} alarms in 100"
    ]
    kinds = list(dict.fromkeys(one.kind for one in test if one.kind != "clean"))
    for kind in ("ALL", *kinds):
        some = [
            one for one in test if one.kind == kind or (kind == "ALL" and one.kind not in ("clean", *APART))
        ]
        if not some:
            continue
        found = " ".join(f"{sum(flagged(one.score, at) for one in some) / len(some):6.3f}" for at in limits)
        several = [one.first for one in some if len(one.scores) > 1]
        first = sum(several) / max(1, len(several))
        lines.append(
            f"{kind:11} {len(some):6} {found}"
            f"  first {first:.3f}  area {area([o.score for o in some], clean):.3f}"
        )
    before = [one.score for one in judged if one.part == "cal" and one.kind == "clean"]
    if before:
        real = [
            f"{rate:g} -> "
            f"{100 * sum(flagged(score, threshold(before, rate)) for score in clean) / len(clean):.2f}"
            for rate in RATES
        ]
        lines.append("a limit set on the mail before the test: " + ", ".join(real) + " alarms in 100")
    return lines
