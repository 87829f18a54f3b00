"""Finds earlier mails that use the same words: an inverted index over digests of words, bounded per word.

The rarer a word, the more it says; a very common one costs no more than a rare one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from mailguard.core.recall.postings import Postings

_WORDS_KEPT = 40
# By how often a word stands in a mail (0 to 255): the tenth time says less than the second.
_HEAVIER = tuple(1 + math.log(count or 1) for count in range(256))


class Topics:
    """Mails by their words. A mail is a number that grows with time; per word the latest are kept."""

    __slots__ = ("_before", "_limit", "_mails", "_posted")

    def __init__(self, limit: int) -> None:
        self._posted = Postings(32, 2 * limit - 1)
        # Of common words: in how many more mails they stood, before those that are kept.
        self._before: dict[int, int] = {}
        self._limit = limit
        self._mails = 0

    def add(self, mail: int, terms: Sequence[tuple[int, int]]) -> float:
        """Remember a mail by its most telling words; its length as a vector, for those who compare."""
        self._mails += 1
        weighed = self._weighed(terms)[:_WORDS_KEPT]
        add, before = self._posted.add, self._before
        for _, term in weighed:
            if gone := add(term, mail):
                before[term] = before.get(term, 0) + gone
        return math.sqrt(sum(weight * weight for weight, _ in weighed)) or 1.0

    def _weighed(self, terms: Sequence[tuple[int, int]]) -> list[tuple[float, int]]:
        more, scale, log = self._before.get, 1 + self._mails, math.log
        kept = self._posted.counts([term for term, _ in terms])
        weighed = [
            (_HEAVIER[count] * log(1 + scale / (1 + often + more(term, 0))), term)
            for (term, count), often in zip(terms, kept, strict=True)
        ]
        weighed.sort(reverse=True)
        return weighed

    def near(self, terms: Sequence[tuple[int, int]], words: int) -> dict[int, float]:
        """How much of the words' weight each earlier mail shares: dot products, over the mail's own length
        where the caller divides. Only the most telling `words` are looked up."""
        weighed = self._weighed(terms)
        length = math.sqrt(sum(weight * weight for weight, _ in weighed)) or 1.0
        shared: dict[int, float] = {}
        have = shared.get
        for weight, term in weighed[:words]:
            value = weight * weight / length
            for mail in self._posted.find(term)[-self._limit :]:
                shared[mail] = have(mail, 0.0) + value
        return shared

    def forget(self, before: int) -> None:
        """Let go of mails with a smaller number."""
        self._posted.forget(before)
        left = self._posted.counts(self._before)
        self._before = {
            term: count for (term, count), kept in zip(self._before.items(), left, strict=True) if kept
        }
