"""Finds earlier mails that use the same words: an inverted index over digests of words, bounded per word.

The rarer a word, the more it says; a very common one costs no more than a rare one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

_WORDS_KEPT = 40
# By how often a word stands in a mail (0 to 255): the tenth time says less than the second.
_HEAVIER = tuple(1 + math.log(count or 1) for count in range(256))


class Topics:
    """Mails by their words. A mail is a number that grows with time; per word the latest are kept."""

    __slots__ = ("_limit", "_mails", "_posted")

    def __init__(self, limit: int) -> None:
        # A word seen in one mail is that mail's number; else an array: the count of all, then the latest
        # mails.
        self._posted: dict[int, int | array[int]] = {}
        self._limit = limit
        self._mails = 0

    @property
    def mails(self) -> int:
        """How many mails were added."""
        return self._mails

    def add(self, mail: int, terms: Iterable[tuple[int, int]]) -> float:
        """Remember a mail by its most telling words; its length as a vector, for those who compare."""
        self._mails += 1
        weighed = self._weighed(terms)[:_WORDS_KEPT]
        posted = self._posted
        for _, term in weighed:
            before = posted.get(term)
            if before is None:
                posted[term] = mail
            elif isinstance(before, int):
                posted[term] = array("I", (2, before, mail))
            else:
                before[0] += 1
                before.append(mail)
                if len(before) > 2 * self._limit:
                    del before[1 : len(before) - self._limit]
        return math.sqrt(sum(weight * weight for weight, _ in weighed)) or 1.0

    def _weighed(self, terms: Iterable[tuple[int, int]]) -> list[tuple[float, int]]:
        find, scale, log = self._posted.get, 1 + self._mails, math.log
        weighed = []
        for term, count in terms:
            before = find(term)
            often = 0 if before is None else 1 if isinstance(before, int) else before[0]
            weighed.append((_HEAVIER[count] * log(1 + scale / (1 + often)), term))
        weighed.sort(reverse=True)
        return weighed

    def near(self, terms: Iterable[tuple[int, int]], words: int, oldest: int = 0) -> dict[int, float]:
        """How much of the words' weight each earlier mail shares: dot products, over the mail's own length
        where the caller divides. Only the most telling `words` are looked up."""
        weighed = self._weighed(terms)
        length = math.sqrt(sum(weight * weight for weight, _ in weighed)) or 1.0
        shared: dict[int, float] = {}
        have = shared.get
        for weight, term in weighed[:words]:
            mails = self._posted.get(term)
            if mails is None:
                continue
            value = weight * weight / length
            if isinstance(mails, int):
                shared[mails] = have(mails, 0.0) + value
                continue
            for mail in mails[max(1, len(mails) - self._limit) :]:
                shared[mail] = have(mail, 0.0) + value
        return shared if not oldest else {mail: value for mail, value in shared.items() if mail >= oldest}

    def forget(self, before: int) -> None:
        """Let go of mails with a smaller number."""
        posted = self._posted
        for term in list(posted):
            mails = posted[term]
            if isinstance(mails, int):
                if mails < before:
                    del posted[term]
                continue
            left = array("I", (mail for mail in mails[1:] if mail >= before))
            if left:
                gone = len(mails) - 1 - len(left)
                posted[term] = array("I", (max(len(left), mails[0] - gone), *left))
            else:
                del posted[term]
