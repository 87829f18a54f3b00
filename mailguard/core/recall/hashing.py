"""Turns words and ids into numbers that only the holder of the key can make again.

The memory compares words and never reads them back: it keeps these numbers in their place.
"""

from hashlib import blake2b

_CACHED = 50_000


class Digests:
    """Keyed digests (BLAKE2b, RFC 7693) of words (32 bits) and of ids (64 bits); one object per key."""

    __slots__ = ("_cache", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key[:64]
        self._cache: dict[str, int] = {}

    def word(self, word: str) -> int:
        """32 bits for a word. The commonest are kept at hand, in bounds."""
        known = self._cache.get(word)
        if known is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            digest = blake2b(word.encode("utf-8", "replace"), digest_size=4, key=self._key).digest()
            known = self._cache[word] = int.from_bytes(digest, "little")
        return known

    def id(self, text: str) -> int:
        """64 bits for a Message-ID or a subject; never 0, which stands for none."""
        digest = blake2b(text.encode("utf-8", "replace"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little") or 1
