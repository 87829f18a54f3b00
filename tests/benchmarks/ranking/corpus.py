"""Reads a corpus of real mail, a JSON object a line, and chooses the mails to train and to measure with."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailguard.core.recall.dialogue import letter
from mailguard.core.recall.letter import Letter

_ROBOT = re.compile(
    r"bot|no-?reply|patchwork|^lkp@|gerrit|jenkins|mailer|daemon|notify|bugzilla", re.IGNORECASE
)
# The rest of a series of patches is one mail many times.
_SERIES = re.compile(r"\b0*(?:[2-9]|[1-9]\d+)/\d+\]")
_CROWD = 50
# Every one of a user's first mails is trained on: they show what is usual before there are habits.
_FIRST = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail of the corpus. `user` is whose outgoing mail it is, "" where nobody's who is measured."""

    letter: Letter
    user: str
    reply: bool


def load(path: Path) -> list[Mail]:
    """All mails that have recipients, in the order of the file (by date)."""
    return [mail for mail in _each(path) if mail.letter.recipients]


def _each(path: Path) -> Iterator[Mail]:
    for message in messages(path):
        said = re.match(r"\s*(re|aw|sv)\s*(\[\d+\])?:", message["subject"], re.IGNORECASE)
        yield Mail(
            letter=letter(message),
            user=message.get("user", message["from"]) or "",
            reply=bool(message["in_reply_to"] or said),
        )


def messages(path: Path) -> Iterator[dict[str, Any]]:
    """The mails as they stand in the file."""
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as lines
    ):
        yield from map(json.loads, lines)


def choose(mails: Sequence[Mail], users: Sequence[str], train: int, measured: int = 60) -> dict[int, str]:
    """By index: "train", "cal" or "test". The last 15 % of each user's mail is for the test, the 10 % before
    for calibration; of each part so many mails, evenly spaced, and to train with the very first ones, too."""
    own: dict[str, list[int]] = defaultdict(list)
    for at, mail in enumerate(mails):
        if mail.user and not _ROBOT.search(mail.letter.sender) and (not users or mail.user in users):
            own[mail.user].append(at)
    parts: dict[int, str] = {}
    for _, mine in sorted(own.items()):
        if len(mine) < 200:
            continue
        test, calibration = int(len(mine) * 0.85), int(len(mine) * 0.75)
        for part, some, count in (
            ("train", mine[:_FIRST], min(train, _FIRST)),
            ("train", mine[_FIRST:calibration], train),
            ("cal", mine[calibration:test], measured),
            ("test", mine[test:], measured),
        ):
            parts.update(dict.fromkeys(_spaced(mails, some, count), part))
    return parts


def _spaced(mails: Sequence[Mail], some: Sequence[int], count: int) -> list[int]:
    fit = [
        at
        for at in some
        if len(mails[at].letter.recipients) <= _CROWD and not _SERIES.search(mails[at].letter.subject)
    ]
    if len(fit) <= count:
        return fit
    return [fit[int(place * len(fit) / count)] for place in range(count)]
