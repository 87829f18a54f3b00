"""Trains the judge's model and writes the file that the package ships.

    export OMP_NUM_THREADS=1
    python -m tests.benchmarks.ranking.train RELAY.npz LIST.npz mailguard/edge/judge_model.json.gz

The tables come from `gather`. Needs numpy and scikit-learn, which are no part of the project. The same tables
and the same versions give the same file, byte for byte.
"""

import gzip
import json
import sys
from math import floor, log10
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found,unused-ignore]
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-not-found,unused-ignore]

from mailguard.core.recall.evidence import NAMES, SIGNS
from mailguard.core.recall.trees import VERSION, Trees, parse
from tests.benchmarks.ranking.leaks import KINDS

FOLDS = 3
TREES, LEAVES = 220, 24
RATES = (50.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0, 0.5, 0.2)
LURKER = 4.0
BREADTH = {"typo": 0.5, "other": 0.4}


def learner(seed: int = 0) -> Any:
    """Monotone where evidence can only speak one way: an address never seen is never safer than a known
    one."""
    return HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=0.08,
        min_samples_leaf=30,
        l2_regularization=3.0,
        monotonic_cst=list(SIGNS),
        early_stopping=False,
        random_state=seed,
    )


def kept(table: Any) -> Any:
    """The rows to learn from: all of right mail, and the wrong recipients. Those beside a wrong one are
    right, too, but in odd company, which would teach that odd company is right."""
    return (table["meta"][:, 2] == 0) | (table["meta"][:, 5] == 1)


def weights(meta: Any) -> Any:
    """Each right mail counts alike, roughly, however many recipients it has; kinds of leak that are there for
    breadth count less than those that are known from life."""
    _, place, count = np.unique(meta[:, 1], return_inverse=True, return_counts=True)
    weight = np.where(meta[:, 2] == 0, 1 / np.sqrt(count[place]), 1.0)
    for kind, share in BREADTH.items():
        weight[meta[:, 2] == 1 + KINDS.index(kind)] *= share
    return weight


def fit(tables: list[Any], chosen: list[Any], seed: int = 0) -> Any:
    """A model trained on the chosen rows of some tables."""
    parts = [(table, own & kept(table)) for table, own in zip(tables, chosen, strict=True)]
    model = learner(seed)
    model.fit(
        np.concatenate([table["X"][own] for table, own in parts]),
        np.concatenate([table["meta"][own, 5] for table, own in parts]),
        np.concatenate([weights(table["meta"])[own] for table, own in parts]),
    )
    return model


def by_mail(meta: Any, scores: Any) -> tuple[Any, Any]:
    """The highest score of each clean mail of the later parts, by mail."""
    chosen = (meta[:, 2] == 0) & (meta[:, 3] > 0)
    cases, place = np.unique(meta[chosen, 1], return_inverse=True)
    best = np.full(len(cases), -np.inf)
    np.maximum.at(best, place, scores[chosen] + LURKER * (meta[chosen, 6] == 1))
    return cases, best


def usual(tables: list[Any]) -> dict[str, list[list[float]]]:
    """What clean mail of users who were not trained on scores, by place: the points of the calibration."""
    found: dict[str, list[list[float]]] = {}
    folds = [table["meta"][:, 4] % FOLDS for table in tables]
    scores = [np.zeros(len(table["meta"])) for table in tables]
    for fold in range(FOLDS):
        model = fit(tables, [own != fold for own in folds])
        for table, own, score in zip(tables, folds, scores, strict=True):
            score[own == fold] = model.decision_function(table["X"][own == fold])
    for place, table, score in zip(("relay", "list"), tables, scores, strict=True):
        _, best = by_mail(table["meta"], score)
        found[place] = [[rate, round(float(np.quantile(best, 1 - rate / 100)), 4)] for rate in RATES]
    return found


def flat(model: Any) -> list[dict[str, list[Any]]]:
    """The trees as the runtime wants them: left child next, right child so many places on."""
    trees: list[dict[str, list[Any]]] = []
    for (one,) in model._predictors:
        tree: dict[str, list[Any]] = {"f": [], "v": [], "r": []}
        put(one.nodes, 0, tree)
        trees.append(tree)
    return trees


def above(limit: float) -> float:
    """A limit in nine digits, rounded up: no number of 32 bits lies between, so that no path changes."""
    short = float(f"{limit:.9g}")
    step = 10.0 ** (floor(log10(abs(limit))) - 8) if limit else 0.0
    return short if short >= limit else float(f"{short + step:.9g}")


def put(nodes: Any, at: int, tree: dict[str, list[Any]]) -> None:
    """One node and what is below it."""
    node = nodes[at]
    leaf = bool(node["is_leaf"])
    place = len(tree["f"])
    tree["f"].append(-1 if leaf else int(node["feature_idx"]))
    tree["v"].append(float(f"{node['value']:.5g}") if leaf else above(float(node["num_threshold"])))
    tree["r"].append(0)
    if not leaf:
        put(nodes, int(node["left"]), tree)
        tree["r"][place] = len(tree["f"])
        put(nodes, int(node["right"]), tree)


def check(trees: Trees, model: Any, rows: Any) -> float:
    """How far the shipped form is from the trained one, at worst, on some rows."""
    some = rows[:: max(1, len(rows) // 3000)]
    mine = np.array([trees.score([float(value) for value in row]) for row in some])
    return float(np.abs(mine - model.decision_function(some)).max())


def main() -> None:
    """The program."""
    *tables, out = sys.argv[1:]
    loaded = [np.load(table) for table in tables]
    loaded = [{"X": table["X"], "meta": table["meta"]} for table in loaded]
    rows = np.concatenate([table["X"] for table in loaded])
    model = fit(loaded, [np.ones(len(table["meta"]), bool) for table in loaded])
    data = {
        "version": VERSION,
        "names": list(NAMES),
        "base": float(model._baseline_prediction.ravel()[0]),
        "usual": usual(loaded),
        "trees": flat(model),
    }
    print("worst difference to the trained model:", check(parse(data, NAMES), model, rows))
    packed = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 9, mtime=0)
    Path(out).write_bytes(packed)
    print(out, len(packed), "bytes")


if __name__ == "__main__":
    main()
