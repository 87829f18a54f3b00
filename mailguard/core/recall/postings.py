"""Which mails something stands in, for very many things that stand in one or two: numbers in sorted arrays.

An entry of a dictionary takes some hundred bytes, and one here eight or twelve. To put one in moves those
behind it, so that the arrays are divided once they are long: by the highest bits of the keys, which are
digests and as likely to be one number as any other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

# Entries of one part, on average: short enough to be moved, long enough not to cost by itself.
_LENGTH = 512
_NONE: Sequence[int] = ()


class Postings:
    """Mails by a digest of so many `bits`, 32 or 64. A mail is a number that grows with time. Of each key the
    latest are kept: when they are more than `most`, the older half goes."""

    __slots__ = ("_code", "_most", "_parts", "_shift", "_size")

    def __init__(self, bits: int, most: int) -> None:
        self._code = "I" if bits == 32 else "Q"
        self._most = most
        self._size = 0
        # A key is in the part of its highest bits: the keys in order, those alike by time, and the mail of
        # each.
        self._shift = bits
        self._parts: list[tuple[array[int], array[int]]] = [(array(self._code), array("I"))]

    def __len__(self) -> int:
        return self._size

    def add(self, key: int, mail: int) -> int:
        """One more mail, not older than those of this key; how many of them were given up for it."""
        keys, mails = self._parts[key >> self._shift]
        end = bisect_right(keys, key)
        keys.insert(end, key)
        mails.insert(end, mail)
        self._size += 1
        first = end - self._most
        if first >= 0 and keys[first] == key:
            older = (self._most + 1) // 2
            del keys[first : first + older], mails[first : first + older]
            self._size -= older
            return older
        if self._size > _LENGTH * len(self._parts) and self._shift:
            self._divide()
        return 0

    def _divide(self) -> None:
        self._shift -= 1
        parts = []
        for place, (keys, mails) in enumerate(self._parts):
            middle = bisect_left(keys, (2 * place + 1) << self._shift)
            parts += [(keys[:middle], mails[:middle]), (keys[middle:], mails[middle:])]
        self._parts = parts

    def find(self, key: int) -> Sequence[int]:
        """The mails of a key that are kept, the oldest first."""
        keys, mails = self._parts[key >> self._shift]
        end = bisect_right(keys, key)
        if not end or keys[end - 1] != key:
            return _NONE
        return mails[bisect_left(keys, key, max(0, end - self._most), end) : end]

    def counts(self, wanted: Iterable[int]) -> list[int]:
        """How many mails of each of these keys are kept."""
        parts, shift, most = self._parts, self._shift, self._most
        found = []
        for key in wanted:
            keys = parts[key >> shift][0]
            end = bisect_right(keys, key)
            if end and keys[end - 1] == key:
                found.append(end - bisect_left(keys, key, max(0, end - most), end))
            else:
                found.append(0)
        return found

    def forget(self, before: int) -> None:
        """Let go of mails with a smaller number."""
        self._size = 0
        for place, (keys, mails) in enumerate(self._parts):
            left = [at for at, mail in enumerate(mails) if mail >= before]
            self._size += len(left)
            self._parts[place] = (
                array(self._code, map(keys.__getitem__, left)),
                array("I", map(mails.__getitem__, left)),
            )
