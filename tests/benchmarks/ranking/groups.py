"""What each group of facts is worth: a model is trained without it, and measured on users whom it has not
seen.

    export OMP_NUM_THREADS=1
    python -m tests.benchmarks.ranking.groups TABLE.npz [--group GROUP ...]

The table comes from `gather`. Needs numpy and lightgbm, as `train` does. To train a dozen times costs much:
the models are smaller than the one that ships, of half of this place's users for the other half, and the
comparison of the recipients of one mail is left out. Prints a line for each group, and for `nothing` left
out.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm  # type: ignore[import-not-found,unused-ignore]
import numpy as np  # type: ignore[import-not-found,unused-ignore]

from mailguard.core.recall.evidence import NAMES
from tests.benchmarks.ranking import train
from tests.benchmarks.ranking.crossed import CALIBRATION, TEST, Cases, cases
from tests.benchmarks.ranking.measure import RATES

TREES, LEAVES, HALVES = 120, 16, 2
# By what the names of the facts begin with.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    "habit": ("habit.", "sender.mails", "sender.contacts"),
    "domain": ("domain.",),
    "acquaintance": ("known.",),
    "mail": ("mail.",),
    "spelling": ("spelling.",),
    "company": ("company.", "common.mean", "common.share", "common.write", "common.friends"),
    "thread": ("thread.", "sender.threads"),
    "greeting": ("greeting.", "spoken.", "text.", "own."),
    "quoted": ("quoted.",),
    "words": ("words.", "common.votes", "common.most", "common.absent", "source."),
    "better": ("better.", "absent.", "beside."),
}


def places_of(group: str) -> list[int]:
    """Where the facts of a group stand in a row. Raises ValueError where some fact is in no group, or in
    two."""
    for name in NAMES:
        if sum(name.startswith(some) for some in GROUPS.values() if some) != 1:
            raise ValueError(f"the fact {name} must be in one of the groups of {__name__}")
    return [place for place, name in enumerate(NAMES) if GROUPS[group] and name.startswith(GROUPS[group])]


def held_out(rows: Any, meta: Any) -> Any:
    """The score of every row by a model that its user had no part in."""
    half = meta[:, 4] % HALVES
    weight = train.weights(meta)
    found = np.zeros(len(meta))
    for own in range(HALVES):
        others = half != own
        data = lightgbm.Dataset(rows[others], meta[others, 5], weight=weight[others])
        model = lightgbm.train({**train.LEARNER, "num_leaves": LEAVES}, data, TREES)
        found[half == own] = train.scores_of(model, rows[half == own])
    return found


def line(known: Cases) -> str:
    """What is found at so many false alarms in 100 (limits of both later parts), and ranked first."""
    wrong, right = known.wrong & (known.part == TEST), known.right(CALIBRATION, TEST)
    found = (known.above(wrong, known.limit(right, rate)) for rate in RATES)
    return f"{' / '.join(f'{share:.2f}' for share in found)}  first {known.first(wrong):.3f}"


def without(table: Any, group: str) -> str:
    """The line of a group: its facts are the same for everybody, so that no tree can ask for them."""
    rows, places = table["X"].copy(), places_of(group)
    rows[:, places] = 0
    scores = held_out(rows, table["meta"])
    known = cases(table, scores, np.zeros(len(scores)))
    return f"without {group:13} ({len(places):2} facts)  {line(known)}"


def main() -> None:
    """The program."""
    wants = argparse.ArgumentParser(description=__doc__)
    wants.add_argument("table", type=Path)
    wants.add_argument("--group", choices=GROUPS, action="append")
    given = wants.parse_args()
    loaded = np.load(given.table)
    table = {"X": loaded["X"], "meta": loaded["meta"]}
    print(f"found at {RATES} alarms in 100, and how often the wrong one of several is ranked first")
    for group in given.group or GROUPS:
        print(without(table, group), flush=True)


if __name__ == "__main__":
    main()
