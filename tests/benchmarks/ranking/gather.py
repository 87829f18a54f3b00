"""Measures the evidence for every recipient of every mail and leak of a corpus, for the training.

    python -m tests.benchmarks.ranking.gather CORPUS.jsonl.gz OUT.npz [--internal DOMAIN] [--users FILE]
        [--fraction SHARE]

Needs numpy, which is no part of the project: `pip install numpy scikit-learn` into an environment of your
own.
"""

import argparse
import json
from pathlib import Path

import numpy as np  # type: ignore[import-not-found,unused-ignore]

from mailguard.core.recall.company import lurks
from mailguard.core.recall.digest import Reading
from mailguard.core.recall.evidence import evidence
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.scene import Scene
from tests.benchmarks.ranking.corpus import TRAIN, choose, load
from tests.benchmarks.ranking.leaks import KINDS
from tests.benchmarks.ranking.replay import Case, replay, some_kinds

PARTS = ("train", "cal", "test")
MEASURED = 60


class Rows:
    """The table: a row of evidence per recipient, and beside it which mail, what kind, whose, and whether
    wrong."""

    def __init__(self, internal: frozenset[str]) -> None:
        self.internal = internal
        self.evidence: list[list[float]] = []
        self.about: list[tuple[int, ...]] = []
        self.users: dict[str, int] = {}
        self.cases = 0

    def ask(self, recall: Recall, reading: Reading, case: Case) -> None:
        """Put the rows of one mail into the table."""
        scene = Scene(recall, reading, self.internal)
        user = self.users.setdefault(case.user, len(self.users))
        kind = 1 + KINDS.index(case.kind) if case.kind in KINDS else 0
        for person in scene.recipients:
            self.evidence.append(evidence(scene, person))
            wrong = person.address == case.leak
            self.about.append(
                (case.at, self.cases, kind, PARTS.index(case.part), user, wrong, lurks(scene, person))
            )
        self.cases += 1


def main() -> None:
    """The program."""
    wants = argparse.ArgumentParser(description=__doc__)
    wants.add_argument("corpus", type=Path)
    wants.add_argument("out", type=Path)
    wants.add_argument("--internal", action="append", default=[])
    wants.add_argument("--users", type=Path)
    wants.add_argument("--fraction", type=float, default=1.0, help="of each user's mails, to save time")
    given = wants.parse_args()
    users = json.loads(given.users.read_text()) if given.users else []
    mails = load(given.corpus)
    rows = Rows(frozenset(given.internal))
    parts = choose(mails, users, round(TRAIN * given.fraction), round(MEASURED * given.fraction))
    replay(mails, parts, rows.internal, rows.ask, some_kinds)
    np.savez(
        given.out,
        X=np.array(rows.evidence, np.float32),
        meta=np.array(rows.about, np.int32),
        users=np.array(list(rows.users)),
    )
    print(f"{given.corpus}: {len(rows.evidence)} rows of {rows.cases} mails")


if __name__ == "__main__":
    main()
