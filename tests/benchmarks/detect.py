"""How many wrong recipients the shipped judge finds in a corpus, at how many false alarms.

    python -m tests.benchmarks.detect CORPUS.jsonl.gz [--internal DOMAIN] [--users FILE]
        [--model FILE --fold N]

One JSON message a line, by date: id, date, from, to, cc, subject, in_reply_to, references, body, and user
where only some senders' own mail is complete. Prints the table of docs/detection.md for that corpus, what
the judging cost, and what holds in proportion to suspicion stop. `--model` is one that
`ranking.train --without N` made; then only the users of that third are judged.
"""

import time

from mailguard.core.recall.calibration import Calibration
from mailguard.core.recall.digest import Reading
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.suspicion import judge
from mailguard.core.recall.trees import Trees
from tests.benchmarks.asked import asked
from tests.benchmarks.ranking import holds
from tests.benchmarks.ranking.corpus import judged_of, load
from tests.benchmarks.ranking.measure import APART, Judged, table
from tests.benchmarks.ranking.replay import Case, every_kind, replay


class Bench:
    """Judges every case and keeps what came out; right mails feed the calibration, as they do in the
    guard."""

    def __init__(self, internal: frozenset[str], trees: Trees) -> None:
        self._internal = internal
        self._trees = trees
        self._calibration = Calibration(self._trees)
        self.judged: list[Judged] = []
        self.seconds: list[float] = []
        self.warned = 0
        # Of each mail of the test: how many of a hundred right ones are as suspect.
        self.right: list[float] = []
        self.wrong: list[float] = []

    def ask(self, recall: Recall, reading: Reading, case: Case) -> None:
        """Judge one mail."""
        begin = time.process_time()
        found = judge(recall, reading, self._trees, self._calibration, internal=self._internal)
        self.seconds.append(time.process_time() - begin)
        if case.kind == "clean":
            self._calibration.passed(found.score)
            self.warned += bool(found.reasons) and case.part == "test"
        if case.part == "test" and case.kind not in APART:
            (self.right if case.kind == "clean" else self.wrong).append(found.rate)
        self.judged.append(
            Judged(
                part=case.part,
                user=case.user,
                kind=case.kind,
                score=found.score,
                scores=found.scores,
                leak=case.leak,
            )
        )


def main() -> None:
    """The program."""
    given = asked(__doc__)
    mails = load(given.corpus)
    internal = frozenset(given.internal)
    bench = Bench(internal, given.model)
    replay(mails, judged_of(mails, given.users, given.fold), internal, bench.ask, every_kind)
    print("\n".join(table(bench.judged)))
    print("\n".join(holds.table(bench.right, bench.wrong)))
    clean = sum(one.kind == "clean" and one.part == "test" for one in bench.judged)
    took = sorted(bench.seconds)
    print(
        f"a rate of 2 in 100 asked for: "
        f"{100 * bench.warned / max(1, clean):.2f} in 100 right mails were warned of"
    )
    print(
        f"judging: median {1e3 * took[len(took) // 2]:.2f} ms, "
        f"99 % within {1e3 * took[int(len(took) * 0.99)]:.2f} ms"
    )


if __name__ == "__main__":
    main()
