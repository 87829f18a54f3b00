"""The command line of the benchmarks that judge a corpus: which mail, whose, and by which model."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from mailguard.core.recall.trees import Trees
from mailguard.edge.learned import load, read


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for: without `users` everybody's own mail is whole, without a `fold` all are judged."""

    corpus: Path
    internal: tuple[str, ...]
    users: list[str]
    model: Trees
    fold: int | None


def asked(purpose: str | None) -> Asked:
    """Read it; the model is the one that ships unless another is named."""
    wants = argparse.ArgumentParser(description=purpose)
    wants.add_argument("corpus", type=Path)
    wants.add_argument("--internal", action="append", default=[])
    wants.add_argument("--users", type=Path)
    wants.add_argument("--model", type=Path)
    wants.add_argument("--fold", type=int)
    given = wants.parse_args()
    return Asked(
        corpus=given.corpus,
        internal=tuple(given.internal),
        users=json.loads(given.users.read_text()) if given.users else [],
        model=read(given.model.read_bytes()) if given.model else load(),
        fold=given.fold,
    )
