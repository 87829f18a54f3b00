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
# Mails of a user to train with; and into how many parts the users are divided to measure on others.
TRAIN, FOLDS = 150, 3
# Every one of a user's first mails is trained on: they show what is usual before there are habits.
_FIRST = 8
# So many mails a user has who is measured, and so many who is only trained on.
_MEASURED, _LEAST = 200, 40


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
    for calibration; of each part so many mails, evenly spaced, and to train with the very first ones, too.
    Who wrote little is trained on alone: many senders teach more than many mails."""
    own: dict[str, list[int]] = defaultdict(list)
    for at, mail in enumerate(mails):
        if mail.user and not _ROBOT.search(mail.letter.sender) and (not users or mail.user in users):
            own[mail.user].append(at)
    parts: dict[int, str] = {}
    for _, mine in sorted(own.items()):
        if len(mine) < _MEASURED:
            if train and len(mine) >= _LEAST:
                parts.update(dict.fromkeys(_spaced(mails, mine, min(train, len(mine) // 2)), "train"))
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


def judged_of(mails: Sequence[Mail], users: Sequence[str], fold: int | None) -> dict[int, str]:
    """What is measured: of all users, or of one third of them, as the training numbers them."""
    parts = choose(mails, users, train=0)
    if fold is None:
        return parts
    # As `gather` meets them.
    order = list(dict.fromkeys(mails[at].user for at in sorted(choose(mails, users, train=TRAIN))))
    own = {user for number, user in enumerate(order) if number % FOLDS == fold}
    return {at: part for at, part in parts.items() if mails[at].user in own}


def _spaced(mails: Sequence[Mail], some: Sequence[int], count: int) -> list[int]:
    fit = [
        at
        for at in some
        if len(mails[at].letter.recipients) <= _CROWD and not _SERIES.search(mails[at].letter.subject)
    ]
    if len(fit) <= count:
        return fit
    return [fit[int(place * len(fit) / count)] for place in range(count)]
