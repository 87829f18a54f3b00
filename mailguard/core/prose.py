"""Text that people wrote, and the patterns that rules look for in it."""

import re
import unicodedata
from functools import cached_property
from typing import Protocol

from mailguard.core.value import dataclass

# Accents, once a letter is taken apart (NFD). Not every combining mark of the world: in other scripts
# a mark can be a vowel, and the word without it another word.
_ACCENTS = re.compile("[\u0300-\u036f]+")
# The spellings of one apostrophe, and the soft hyphen, which nobody sees.
_SAME = (("\u2019", "'"), ("\u02bc", "'"), ("\u00ad", ""))
# Putting the marks of one letter in order (NFD) takes the square of their number, and hostile mail has
# thousands on one letter; so a text is taken apart in pieces, and order across two of them is let go.
_PIECE = 256


def fold(text: str) -> str:
    """Without case and accents; line breaks stay."""
    if text.isascii():
        return text.lower()
    for spelling, usual in _SAME:
        text = text.replace(spelling, usual)
    folded = text.casefold()
    pieces = (folded[at : at + _PIECE] for at in range(0, len(folded), _PIECE))
    return "".join([_ACCENTS.sub("", unicodedata.normalize("NFD", piece)) for piece in pieces])


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text and, once somebody needs it, its folded form (kept, because many rules look at one text)."""

    raw: str

    @cached_property
    def folded(self) -> str:
        """Without case and accents, every run of white space (a line break in a phrase too) one space."""
        return " ".join(fold(self.raw).split())


class TextPattern(Protocol):
    """Something to look for in a text. Words are below; regular expressions come from outside the core."""

    def found_in(self, text: Text) -> bool:
        """Whether it is there; in time proportional to the length of the text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A word or phrase, folded, that must stand by itself: `plan` is not found in `planet`.

    A star at an end lets the word go on there: `confiden*`, `*gate`. `needle` is empty for `*` alone,
    which is found in every text.
    """

    needle: str
    bounded: re.Pattern[str]

    def found_in(self, text: Text) -> bool:
        """Whether the words are there."""
        # The plain search is quick and mostly says no.
        return self.needle in text.folded and self.bounded.search(text.folded) is not None


def words(pattern: str) -> Words:
    """Read a plain text pattern. Raises ValueError, in words for a person, where it is none."""
    folded = Text(raw=pattern).folded
    needle = folded.strip("*")
    if not folded:
        raise ValueError("an empty text would be found in every message")
    if "*" in needle:
        raise ValueError("a star can only stand at the beginning or the end")
    before = "" if folded.startswith("*") or not _wordly(needle[:1]) else r"(?<!\w)"
    after = "" if folded.endswith("*") or not _wordly(needle[-1:]) else r"(?!\w)"
    return Words(needle=needle, bounded=re.compile(before + re.escape(needle) + after))


def _wordly(char: str) -> bool:
    return char.isalnum() or char == "_"
