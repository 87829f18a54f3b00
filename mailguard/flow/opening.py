"""The link that opens the page once, for whoever has the machine."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from mailguard.ports import Clock

# A link that was printed and forgotten.
GOOD_FOR = timedelta(hours=1)


class OnceLink:
    """At most one is good at a time: a new one makes the old one void. None survives the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._digest = b""
        self._until = clock.now()

    def fresh(self) -> str:
        """The secret part of a new one."""
        shown = secrets.token_urlsafe(24)
        self._digest, self._until = _digest(shown), self._clock.now() + GOOD_FOR
        return shown

    def used(self, shown: str) -> bool:
        """Whether this is it; from then on it is not any more."""
        good = self._clock.now() < self._until and hmac.compare_digest(_digest(shown), self._digest)
        if good:
            self._digest = b""
        return good


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
