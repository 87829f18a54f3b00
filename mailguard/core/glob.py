"""Globs: patterns in which `*` stands for any run of characters and nothing else is special."""

from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Glob:
    """`parts` are the fixed texts between the stars. Folding case is up to whoever makes both sides.

    Not fnmatch: there `?` and `[` are special too, which no mail address or file name means to be. And
    this one never goes back, so that its cost is bounded by the length of the text times the pattern's.
    """

    parts: tuple[str, ...]

    def fits(self, text: str) -> bool:
        """Whether the pattern covers the text from end to end."""
        first, *middle = self.parts
        if not middle:
            return text == first
        last = middle.pop()
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        position, end = len(first), len(text) - len(last)
        for part in middle:
            found = text.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return True


def glob(pattern: str) -> Glob:
    """Read a pattern; every text is one."""
    return Glob(parts=tuple(pattern.split("*")))
