"""Tells domains apart that a person would take for one another: by a slip of the finger, by letters that
look the same, or by an ending that is another.

Only domains that somebody knows are compared with: that two strangers look alike means nothing.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mailguard.core.recall.spelling import one_apart

# Shorter names are one letter apart by chance too often: ab.example and ac.example are two firms.
SHORTEST = 5

# Letters of other scripts that are drawn like Latin ones in most faces (UTS 39), and digits that are.
_DRAWN_LIKE = {
    "a": "\u0430\u1d00\u0251\u03b1",
    "b": "\u044c\u0432",
    "c": "\u0441\u03f2",
    "d": "\u0501",
    "e": "\u0435\u0454\u04bd",
    "g": "\u0261",
    "h": "\u04bb\u043d",
    "i": "\u0456\u0457\u0131\u03b9\u0269",
    "j": "\u0458",
    "k": "\u043a\u03ba",
    "l": "1\u04cf\u217c",
    "m": "\u043c",
    "n": "\u043f\u0578",
    "o": "0\u043e\u03bf\u0585",
    "p": "\u0440\u03c1",
    "r": "\u0433",
    "s": "\u0455",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d",
    "v": "\u03bd\u0475",
    "w": "\u051d\u03c9\u0461",
    "x": "\u0445\u03c7",
    "y": "\u0443\u03b3",
}
_LATIN = str.maketrans({other: latin for latin, others in _DRAWN_LIKE.items() for other in others})
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("ii", "u"))


def nearest(domain: str, known: Iterable[str]) -> str:
    """The known domain that `domain` could be mistaken for, or ""; a known one is mistaken for none.

    Domains are in lower case and A-labels. The answer is the first by alphabet where there are several.
    """
    others = set(known)
    if domain in others:
        return ""
    return min((other for other in others if alike(domain, other)), default="")


def alike(one: str, other: str) -> bool:
    """Whether two different domains are easily taken for one another."""
    if one == other or _related(one, other):
        return False
    if skeleton(one) == skeleton(other):
        return True
    return min(len(one), len(other)) >= SHORTEST and one_apart(one, other)


def two_firms(one: str, other: str) -> bool:
    """Whether two domains that are alike are so by chance: short names one letter apart, as in lpl.example
    and fpl.example. Of the many domains that an organisation writes to, some always are."""
    pairs = list(zip(one.split("."), other.split("."), strict=False))
    differ = [at for at, (mine, theirs) in enumerate(pairs) if mine != theirs]
    if one.count(".") != other.count(".") or len(differ) != 1 or differ == [len(pairs) - 1]:
        return False
    return skeleton(one) != skeleton(other) and min(map(len, pairs[differ[0]])) < SHORTEST


def _related(one: str, other: str) -> bool:
    """Whether one is below the other: mail.corp.example is no imitation of corp.example."""
    return one.endswith("." + other) or other.endswith("." + one)


@lru_cache(maxsize=16384)
def skeleton(domain: str) -> str:
    """What a domain looks like at a glance: equal for two that are drawn alike."""
    labels = [_decoded(label) for label in domain.split(".")]
    text = unicodedata.normalize("NFKD", ".".join(labels).casefold())
    text = "".join(char for char in text if not unicodedata.combining(char)).translate(_LATIN)
    for pair, single in _PAIRS:
        text = text.replace(pair, single)
    return text.replace("-", "")


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label
