"""Text patterns as rules.toml writes them: plain words, or a regular expression between slashes."""

import re
from dataclasses import field
from typing import Any

import re2

from mailguard.core.prose import Text, TextPattern, words
from mailguard.core.value import dataclass

FORM = "words (a * may begin or end them), or a regular expression between slashes: /…/ or /…/i"
LONGEST = 1000
# Steps of the compiled program. Its time on a text is at worst their product: "x{1000}" is a thousand steps.
LARGEST = 4000

_BETWEEN_SLASHES = re.compile(r"/(.+)/([gimsux]{0,4})", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """A regular expression on RE2, whose time grows with the text and never explodes.

    So a rule may hold any expression, and hostile mail cannot make it slow. What RE2 does not have
    (looking around, back references) is refused when the rules are read.
    """

    source: str
    compiled: Any = field(compare=False, repr=False)

    def found_in(self, text: Text) -> bool:
        """Whether it is found anywhere in the text as written: case and accents count."""
        # A lone surrogate, from a broken encoding, is no UTF-8 and would raise.
        return self.compiled.search(text.raw.encode("utf-8", "replace")) is not None


def text_pattern(text: str) -> TextPattern:
    """Read a text pattern. Raises ValueError, in words for a person, where it is none."""
    match = _BETWEEN_SLASHES.fullmatch(text)
    if match is None:
        return words(text)
    expression, flags = match.groups()
    if flags not in ("", "i"):
        # As plain words it would be looked for with its slashes, and never be found.
        raise ValueError(f"{flags!r} stands behind the second slash of {text}")
    if len(expression) > LONGEST:
        raise ValueError(f"the regular expression is longer than {LONGEST} characters")
    options = re2.Options()
    options.case_sensitive = not flags
    # The reason comes back in the exception; RE2 would also write it to the standard error.
    options.log_errors = False
    try:
        compiled = re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"the regular expression {text} cannot be used: {said}") from None
    if compiled.programsize > LARGEST:
        size = f"{compiled.programsize} steps, and at most {LARGEST} are allowed"
        raise ValueError(f"the regular expression {text} is too large: {size}; use smaller counts in {{}}")
    return Expression(source=text, compiled=compiled)
