"""Message ids: short, unguessable, easy to read aloud over a telephone."""

# Crockford's base 32: no i, l, o, u, so that nothing is mistaken for a digit or spells a word.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 12

# Every message gets an id: two letters at once are half the work.
_PAIRS = tuple(first + second for second in ALPHABET for first in ALPHABET)
_HEARD_WRONG = str.maketrans({"i": "1", "l": "1", "o": "0", "-": "", " ": ""})


def from_random(random: bytes) -> str:
    """An id of LENGTH letters, 5 bits each, from at least 8 random bytes (60 bits are used)."""
    number = int.from_bytes(random[:8], "big")
    return "".join([_PAIRS[(number >> place) & 1023] for place in range(0, 5 * LENGTH, 10)])


def normalize(heard: str) -> str:
    """What a person typed or heard, as it would stand in the store: lower case, look-alikes mended.

    A text that can be no id comes back as it is in lower case, and will simply not be found.
    """
    return heard.strip().lower().translate(_HEARD_WRONG)
