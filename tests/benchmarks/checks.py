"""What each check adds: warnings in right mail, and wrong recipients warned of, without it and with all.

    python -m tests.benchmarks.checks CORPUS.jsonl.gz [--internal DOMAIN] [--users FILE]
        [--model FILE --fold N]

Right mail is judged as in `quiet`, and that of the test again with every kind of wrong recipient made for it
(`ranking.leaks`), by all checks with the rules that ship. A warning is a finding that does more than to be
shown. `--model` is one that `ranking.train --without N` made; then only the users of that third are judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mailguard.core.hold import Action
from mailguard.core.policy import Policy
from mailguard.core.recall.dialogue import Dialogue, recipients_only
from mailguard.core.recall.digest import Reading
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.learnt import Learnt
from mailguard.core.recall.recall import Recall
from mailguard.edge.config import RulesFile
from tests.benchmarks.asked import asked
from tests.benchmarks.ranking.corpus import judged_of, load, messages
from tests.benchmarks.ranking.measure import APART
from tests.benchmarks.ranking.replay import KEY, Case, every_kind, replay

# Which checks warned, of one mail.
Codes = frozenset[str]


class Warned:
    """Judges every case by all checks, and keeps which of them warned."""

    def __init__(self, policy: Policy, judge: Learnt, raw: Mapping[int, Mapping[str, Any]]) -> None:
        self._warning = {code for code, demand in policy.checks.items() if demand.action is not Action.NONE}
        self._judge = judge
        self._raw = raw
        self._dialogue = Dialogue(judge=judge, digests=Digests(KEY), policy=policy)
        self.right: list[Codes] = []
        self.wrong: list[Codes] = []

    def ask(self, recall: Recall, reading: Reading, case: Case) -> None:
        """Judge one mail; right ones feed the calibration, as in the guard."""
        self._dialogue.memory.recall = recall
        seen = reading.observation
        message = {**self._raw[case.at], "to": list(seen.to), "cc": list(seen.cc)}
        answer = self._dialogue.answer({"op": "score", "msg": message}) or {}
        codes = frozenset(finding["check"] for finding in answer["findings"]) & self._warning
        if case.kind == "clean":
            self._judge.passed(answer["scores"]["*"])
            self.right.append(codes)
        elif case.kind not in APART:
            self.wrong.append(codes)


def table(right: Sequence[Codes], wrong: Sequence[Codes]) -> Iterator[str]:
    """Of 100 right and 100 wrong mails so many with a warning, and how many less without each check."""

    def without(code: str) -> tuple[float, float]:
        return (_share(codes - {code} for codes in right), _share(codes - {code} for codes in wrong))

    alarms, found = without("")
    yield (
        f"all checks: {alarms:.2f} of 100 right mails warned of ({len(right)}), "
        f"{found:.1f} of 100 wrong ones ({len(wrong)})"
    )
    for code in sorted(frozenset().union(*right, *wrong)):
        less, missed = without(code)
        yield f"  without {code:28} {less:6.2f} ({less - alarms:+.2f})  {missed:6.1f} ({missed - found:+.1f})"


def _share(mails: Iterator[Codes]) -> float:
    warned = [bool(codes) for codes in mails]
    return 100 * sum(warned) / max(1, len(warned))


def main() -> None:
    """The program."""
    given = asked(__doc__)
    policy = recipients_only(replace(RulesFile.load(None).current, internal_domains=given.internal))
    mails = load(given.corpus)
    parts = judged_of(mails, given.users, given.fold)
    own = (one for one in messages(given.corpus) if one["to"] or one["cc"])
    raw = {at: message for at, message in enumerate(own) if at in parts}
    warned = Warned(policy, Learnt(given.model), raw)
    replay(mails, parts, frozenset(given.internal), warned.ask, every_kind)
    print("\n".join(table(warned.right, warned.wrong)))


if __name__ == "__main__":
    main()
