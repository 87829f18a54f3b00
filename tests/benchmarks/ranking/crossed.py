"""Measures the judge's model on users whom it was not trained on, threefold: the tables of docs/detection.md.

    export OMP_NUM_THREADS=1
    python -m tests.benchmarks.ranking.crossed RELAY.npz LIST.npz [--scores FILE.npz] [--unknown KIND]

The tables come from `gather`. Needs numpy and lightgbm, as `train` does, whose steps these are. `--scores`
keeps what the models said, and reads it where the file is there. With `--unknown` no model sees a wrong
recipient of that kind in training, and the line of the kind tells how well it is found all the same.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found,unused-ignore]

from mailguard.core.recall.evidence import NAMES
from tests.benchmarks.ranking import train
from tests.benchmarks.ranking.corpus import FOLDS
from tests.benchmarks.ranking.leaks import KINDS
from tests.benchmarks.ranking.measure import APART, RATES

PLACES = ("relay", "list")
# How many mails of a sender came before: the lines of the cold start.
AGES = (0, 1, 10, 50, 200, 10**9)
CALIBRATION, TEST = 1, 2


@dataclass(frozen=True, kw_only=True)
class Cases:
    """All mails that were judged, one a place of each array. `best` is the mail's score, `leak` that of the
    wrong recipient after the comparison of those of one mail, `stranger` whether it has an address that
    nobody ever used, `before` how many mails its sender had sent."""

    best: Any
    leak: Any
    kind: Any
    part: Any
    recipients: Any
    stranger: Any
    before: Any

    @property
    def wrong(self) -> Any:
        """Those with a wrong recipient, but for the kinds that have a line of their own."""
        apart = [1 + KINDS.index(kind) for kind in APART]
        return (self.kind > 0) & ~np.isin(self.kind, apart)

    def right(self, *parts: int) -> Any:
        """The right mails of some parts."""
        return (self.kind == 0) & np.isin(self.part, parts)

    def limit(self, right: Any, rate: float) -> float:
        """What `rate` of 100 of these right mails are above."""
        falling = np.sort(self.best[right])[::-1]
        return float(falling[min(int(rate / 100 * len(falling)), len(falling) - 1)])

    def above(self, some: Any, limit: float) -> float:
        """The share of some mails above a limit."""
        return float((self.best[some] > limit).mean())

    def first(self, some: Any) -> float:
        """How often the wrong one of several is ranked first."""
        several = some & (self.recipients > 1)
        return float((self.leak[several] >= self.best[several]).mean())


def held_out(tables: list[Any], unknown: str | None) -> dict[str, Any]:
    """By place and sum of trees: the score of every row by models that its user had no part in."""
    found = {
        f"{place}-{which}": np.zeros(len(table["meta"]))
        for place, table in zip(PLACES, tables, strict=True)
        for which in ("suspects", "order")
    }
    kept = [table["meta"][:, 2] != (1 + KINDS.index(unknown) if unknown else -1) for table in tables]
    folds = [table["meta"][:, 4] % FOLDS for table in tables]
    for fold in range(FOLDS):
        chosen = [(own != fold) & known for own, known in zip(folds, kept, strict=True)]
        for which, model in (
            ("suspects", train.fit(tables, chosen)),
            ("order", train.fit_order(tables, chosen)),
        ):
            for place, table, own in zip(PLACES, tables, folds, strict=True):
                found[f"{place}-{which}"][own == fold] = train.scores_of(model, table["X"][own == fold])
    return found


def cases(table: Any, suspects: Any, order: Any) -> Cases:
    """The mails of a table, from the scores of its rows."""
    meta, rows = table["meta"], table["X"]
    _, first, mail = np.unique(meta[:, 1], return_index=True, return_inverse=True)
    suspects = suspects + train.LURKER * (meta[:, 6] == 1)
    best = _highest(suspects, mail, len(first))
    compared = suspects + order
    shown = best[mail] - (_highest(compared, mail, len(first))[mail] - compared)
    wrong = meta[:, 5] == 1
    return Cases(
        best=best,
        leak=_highest(shown[wrong], mail[wrong], len(first)),
        kind=meta[first, 2],
        part=meta[first, 3],
        recipients=np.bincount(mail),
        stranger=_highest(1.0 * (rows[:, NAMES.index("known.met")] == 0), mail, len(first)) > 0,
        before=np.rint(np.expm1(rows[first, NAMES.index("sender.mails")])),
    )


def _highest(values: Any, mail: Any, mails: int) -> Any:
    found = np.full(mails, -np.inf)
    np.maximum.at(found, mail, values)
    return found


def table_of(known: Cases) -> Iterator[str]:
    """All tables of one place."""
    wrong = known.wrong & (known.part == TEST)
    for parts in ((TEST,), (CALIBRATION, TEST)):
        right = known.right(*parts)
        found = _each(known.above(wrong, known.limit(right, rate)) for rate in RATES)
        yield f"{right.sum()} right messages, found at {RATES} in 100: {found}"
    rising = np.sort(known.best[known.right(TEST)])
    sides = (np.searchsorted(rising, known.best[wrong], side) for side in ("left", "right"))
    yield f"ranked first {known.first(wrong):.3f}, area {sum(sides).mean() / 2 / len(rising):.3f}"
    right = known.right(CALIBRATION, TEST)
    for number, kind in enumerate(KINDS, 1):
        some = (known.kind == number) & (known.part == TEST)
        if some.any():
            found = _each(known.above(some, known.limit(right, rate)) for rate in RATES)
            yield f"  {kind:11} {some.sum():6}  {found}  first {known.first(some):.3f}"
    yield from _strangers(known, right, wrong)
    before, test = known.right(CALIBRATION), known.right(TEST)
    real = _each((100 * known.above(test, known.limit(before, rate)) for rate in RATES), 2)
    yield f"limits set on the mail before, for {RATES} in 100, let through: {real}"
    yield from _young(known, test)


def _strangers(known: Cases, right: Any, wrong: Any) -> Iterator[str]:
    """What addresses that nobody ever used make of the false alarms, and what is found without them."""
    share = 100 * known.stranger[right].mean()
    alarms = (known.stranger[right & (known.best > known.limit(right, rate))].mean() for rate in RATES)
    yield f"an address that nobody ever used: on {share:.1f} % of right mail, of the alarms {_each(alarms)}"
    rest, found = right & ~known.stranger, wrong & ~known.stranger
    yield f"without them: {_each(known.above(found, known.limit(rest, rate)) for rate in RATES)}"


def _young(known: Cases, test: Any) -> Iterator[str]:
    """By how much was known of the sender, at the limits of the test part but the first."""
    limits = [known.limit(test, rate) for rate in RATES[1:]]
    for least, most in pairwise(AGES):
        age = (known.before >= least) & (known.before < most)
        right, wrong = (known.kind == 0) & age, known.wrong & age
        if right.sum() > 5 and wrong.sum() > 5:
            alarms = _each((100 * known.above(right, limit) for limit in limits), 1)
            found = _each(known.above(wrong, limit) for limit in limits)
            yield (
                f"  {least} mails before and more ({right.sum()}): alarms {alarms}, found {found}, "
                f"first {known.first(wrong):.2f}"
            )


def _each(values: Iterator[float], digits: int = 2) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in values)


def main() -> None:
    """The program."""
    wants = argparse.ArgumentParser(description=__doc__)
    wants.add_argument("relay", type=Path)
    wants.add_argument("list", type=Path)
    wants.add_argument("--scores", type=Path)
    wants.add_argument("--unknown", choices=KINDS)
    given = wants.parse_args()
    loaded = [np.load(path) for path in (given.relay, given.list)]
    tables = [{"X": table["X"], "meta": table["meta"]} for table in loaded]
    if given.scores and given.scores.exists():
        scores = dict(np.load(given.scores))
    else:
        scores = held_out(tables, given.unknown)
        if given.scores:
            np.savez(given.scores, **scores)
    for place, table in zip(PLACES, tables, strict=True):
        print(f"{place}:")
        known = cases(table, scores[f"{place}-suspects"], scores[f"{place}-order"])
        print("\n".join(table_of(known)))


if __name__ == "__main__":
    main()
