"""How often the checks speak in mail that was right, all of them together, with the defaults that ship.

    python -m tests.benchmarks.quiet CORPUS.jsonl.gz [--internal DOMAIN] [--users FILE]
        [--model FILE --fold N]

Every message is remembered, and the last quarter of each user's (of 60 and 60 messages at most) is judged
before, as it was really sent, by all checks that can be asked about a message in this form: attachments,
calendars, display names and logins are not in it. A warning is a finding that does more than to be shown.
`--model` is one that `ranking.train --without N` made; then only the users of that third are judged.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailguard.core.hold import Action
from mailguard.core.policy import Policy
from mailguard.core.recall.dialogue import Dialogue, recipients_only
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.learnt import Learnt
from mailguard.core.recall.remembrance import Remembrance
from mailguard.edge.config import RulesFile
from tests.benchmarks.asked import asked
from tests.benchmarks.ranking.corpus import judged_of, load, messages

COLD = 10


class Count:
    """What was found, over some messages."""

    def __init__(self) -> None:
        self.mails = 0
        self.warned = 0
        self.stopped = 0
        self.findings: Counter[str] = Counter()

    def add(self, codes: set[str], policy: Policy) -> None:
        """One more message, in which these checks spoke."""
        actions = [policy.checks[code].action for code in codes]
        self.mails += 1
        self.warned += any(action is not Action.NONE for action in actions)
        self.stopped += any(action not in (Action.NONE, Action.DELAY) for action in actions)
        self.findings.update(codes)

    def lines(self, policy: Policy) -> list[str]:
        """The table: of 100 messages so many."""
        share = 100 / max(1, self.mails)
        return [
            f"{self.mails} right messages: {share * self.warned:.2f} in 100 with a warning, "
            f"{share * self.stopped:.2f} that wait for a yes",
            *(
                f"  {code:28} {share * count:6.2f}  {policy.checks[code].action.value}"
                for code, count in self.findings.most_common()
            ),
        ]


def main() -> None:
    """The program."""
    given = asked(__doc__)
    policy = recipients_only(replace(RulesFile.load(None).current, internal_domains=given.internal))
    dialogue = Dialogue(
        judge=Learnt(given.model), digests=Digests(b"quiet"), policy=policy, memory=Remembrance()
    )
    chosen = _chosen(given.corpus, given.users, given.fold)
    later, first = Count(), Count()
    sent: Counter[str] = Counter()
    for at, message in enumerate(one for one in messages(given.corpus) if one["to"] or one["cc"]):
        user = message.get("user", message["from"])
        cold = user in chosen[1] and sent[user] < COLD
        if at in chosen[0] or cold:
            answer: dict[str, Any] = dialogue.answer({"op": "score", "msg": message}) or {}
            codes = {finding["check"] for finding in answer["findings"]}
            (later if at in chosen[0] else first).add(codes, policy)
        sent[user] += 1
        dialogue.answer({"op": "observe", "msg": message})
    print("\n".join(later.lines(policy)))
    print(f"the first {COLD} messages of each sender:")
    print("\n".join(first.lines(policy)))


def _chosen(corpus: Path, users: list[str], fold: int | None) -> tuple[frozenset[int], frozenset[str]]:
    """The messages to judge, by their place, and whose they are."""
    mails = load(corpus)
    places = judged_of(mails, users, fold)
    return frozenset(places), frozenset(mails[at].user for at in places)


if __name__ == "__main__":
    main()
