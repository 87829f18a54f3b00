"""Trains the judge's model and writes the file that the package ships.

    export OMP_NUM_THREADS=1
    python -m tests.benchmarks.ranking.train RELAY.npz LIST.npz mailguard/edge/judge_model.json.gz
    python -m tests.benchmarks.ranking.train RELAY.npz LIST.npz part.json.gz --without 0

The tables come from `gather`. Needs numpy and lightgbm, which are no part of the project. The same tables and
the same versions give the same file, byte for byte. `--without FOLD` leaves a third of the users out, to
measure on them with tests.benchmarks.detect.
"""

import argparse
import gzip
import json
from collections.abc import Callable, Sequence
from math import floor, log10
from pathlib import Path
from typing import Any

import lightgbm  # type: ignore[import-not-found,unused-ignore]
import numpy as np  # type: ignore[import-not-found,unused-ignore]

from mailguard.core.recall.evidence import NAMES, SIGNS
from mailguard.core.recall.trees import VERSION, parse
from tests.benchmarks.ranking.corpus import FOLDS
from tests.benchmarks.ranking.leaks import KINDS

TREES, ORDER_TREES = 260, 200
RATES = (50.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0, 0.5, 0.2)
LURKER = 4.0
BREADTH = {"typo": 0.5, "other": 0.4}
# Who stands beside a wrong recipient is right, but in odd company. He counts little: enough to learn which of
# several is the odd one, too little to learn that odd company is right.
BESIDE = 0.1

# Monotone where evidence can only speak one way: an address never seen is never safer than a known one.
LEARNER = {
    "objective": "binary",
    "num_leaves": 24,
    "learning_rate": 0.08,
    "min_data_in_leaf": 30,
    "lambda_l2": 3.0,
    "feature_fraction": 0.6,
    "monotone_constraints": list(SIGNS),
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


# LambdaRank (Burges 2010), which asks for the first place alone.
ORDERING = {
    "objective": "lambdarank",
    "num_leaves": 16,
    "feature_fraction": 0.5,
    "lambdarank_truncation_level": 3,
    "label_gain": [0, 1],
}


def weights(meta: Any) -> Any:
    """Each mail counts alike, roughly, however many recipients it has; kinds of leak that are there for
    breadth count less than those that are known from life."""
    _, place, count = np.unique(meta[:, 1], return_inverse=True, return_counts=True)
    weight = np.where(meta[:, 5] == 1, 1.0, 1 / np.sqrt(count[place]))
    weight[(meta[:, 5] == 0) & (meta[:, 2] > 0)] *= BESIDE
    for kind, share in BREADTH.items():
        weight[meta[:, 2] == 1 + KINDS.index(kind)] *= share
    return weight


def fit(tables: list[Any], chosen: list[Any]) -> Any:
    """A model trained on the chosen rows of some tables."""
    parts = list(zip(tables, chosen, strict=True))
    data = lightgbm.Dataset(
        np.concatenate([table["X"][own] for table, own in parts]),
        np.concatenate([table["meta"][own, 5] for table, own in parts]),
        weight=np.concatenate([weights(table["meta"])[own] for table, own in parts]),
    )
    return lightgbm.train(LEARNER, data, TREES)


def fit_order(tables: list[Any], chosen: list[Any]) -> Any:
    """A model of who of the recipients of one mail is the wrong one: trained on mails with one among several,
    and to put him first."""
    rows, wrong, groups = [], [], []
    for table, own in zip(tables, chosen, strict=True):
        meta = table["meta"]
        size = np.bincount(meta[:, 1])
        mine = own & (meta[:, 2] > 0) & (size[meta[:, 1]] > 1)
        rows.append(table["X"][mine])
        wrong.append(meta[mine, 5])
        groups.append(np.unique(meta[mine, 1], return_counts=True)[1])
    data = lightgbm.Dataset(np.concatenate(rows), np.concatenate(wrong), group=np.concatenate(groups))
    return lightgbm.train({**LEARNER, **ORDERING}, data, ORDER_TREES)


def scores_of(model: Any, rows: Any) -> Any:
    """The scores of rows, as log odds."""
    return model.predict(rows, raw_score=True)


def by_mail(meta: Any, scores: Any) -> Any:
    """The highest score of each clean mail of the later parts."""
    chosen = (meta[:, 2] == 0) & (meta[:, 3] > 0)
    cases, place = np.unique(meta[chosen, 1], return_inverse=True)
    best = np.full(len(cases), -np.inf)
    np.maximum.at(best, place, scores[chosen] + LURKER * (meta[chosen, 6] == 1))
    return best


def usual(tables: list[Any], folds: list[Any], all_folds: list[int]) -> dict[str, list[list[float]]]:
    """What clean mail of users who were not trained on scores, by place: the points of the calibration."""
    scores = [np.full(len(table["meta"]), np.nan) for table in tables]
    for fold in all_folds:
        model = fit(tables, [(own != fold) & np.isin(own, all_folds) for own in folds])
        for table, own, score in zip(tables, folds, scores, strict=True):
            score[own == fold] = scores_of(model, table["X"][own == fold])
    found: dict[str, list[list[float]]] = {}
    for place, table, score in zip(("relay", "list"), tables, scores, strict=True):
        known = ~np.isnan(score)
        best = by_mail(table["meta"][known], score[known])
        found[place] = [[rate, round(float(np.quantile(best, 1 - rate / 100)), 4)] for rate in RATES]
    return found


def flat(model: Any) -> list[dict[str, list[Any]]]:
    """The trees as the runtime wants them: left child next, right child so many places on."""
    trees: list[dict[str, list[Any]]] = []
    for one in model.dump_model()["tree_info"]:
        tree: dict[str, list[Any]] = {"f": [], "v": [], "r": []}
        put(one["tree_structure"], tree)
        trees.append(tree)
    return trees


def above(limit: float) -> float:
    """A limit in nine digits, rounded up: no number of 32 bits lies between, so that no path changes."""
    short = float(f"{limit:.9g}")
    step = 10.0 ** (floor(log10(abs(limit))) - 8) if limit else 0.0
    return short if short >= limit else float(f"{short + step:.9g}")


def put(node: dict[str, Any], tree: dict[str, list[Any]]) -> None:
    """One node and what is below it."""
    leaf = "leaf_value" in node
    place = len(tree["f"])
    tree["f"].append(-1 if leaf else int(node["split_feature"]))
    tree["v"].append(float(f"{node['leaf_value']:.5g}") if leaf else above(float(node["threshold"])))
    tree["r"].append(0)
    if not leaf:
        put(node["left_child"], tree)
        tree["r"][place] = len(tree["f"])
        put(node["right_child"], tree)


def check(score: Callable[[Sequence[float]], float], model: Any, rows: Any) -> float:
    """How far the shipped form is from the trained one, at worst, on some rows."""
    some = rows[:: max(1, len(rows) // 3000)]
    mine = np.array([score([float(value) for value in row]) for row in some])
    return float(np.abs(mine - scores_of(model, some)).max())


def main() -> None:
    """The program."""
    wants = argparse.ArgumentParser(description=__doc__)
    wants.add_argument("relay", type=Path)
    wants.add_argument("list", type=Path)
    wants.add_argument("out", type=Path)
    wants.add_argument("--without", type=int, choices=range(FOLDS), help="a third of the users to leave out")
    given = wants.parse_args()
    loaded = [np.load(path) for path in (given.relay, given.list)]
    tables = [{"X": table["X"], "meta": table["meta"]} for table in loaded]
    folds = [table["meta"][:, 4] % FOLDS for table in tables]
    all_folds = [fold for fold in range(FOLDS) if fold != given.without]
    model = fit(tables, [np.isin(own, all_folds) for own in folds])
    order = fit_order(tables, [np.isin(own, all_folds) for own in folds])
    data = {
        "version": VERSION,
        "names": list(NAMES),
        "usual": usual(tables, folds, all_folds),
        "trees": flat(model),
        "order": flat(order),
    }
    rows = np.concatenate([table["X"] for table in tables])
    trees = parse(data, NAMES)
    worst = (check(trees.score, model, rows), check(trees.rank, order, rows))
    print("worst difference to the trained models:", *worst)
    packed = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 9, mtime=0)
    given.out.write_bytes(packed)
    print(given.out, len(packed), "bytes")


if __name__ == "__main__":
    main()
