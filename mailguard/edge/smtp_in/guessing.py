"""Who guesses passwords, and what that costs: counted by address, by login, and by login at an address.

Nobody can lock another out: the wrong passwords of strangers slow a login down, but never close it to an
address from which it has not failed, nor to one from which it was let in before.
"""

import hmac
import secrets
from collections.abc import Callable

from mailguard.edge.smtp_in.options import SmtpOptions
from mailguard.edge.smtp_in.peers import MOST_REMEMBERED, Failures

# A wrong password gets no slower than this.
MOST_DOUBLINGS = 4


class Guessing:
    """Shared by all sessions. A login is known here only by a keyed digest: it may be as long as a line, and
    may be a password that was typed into the wrong field."""

    def __init__(self, options: SmtpOptions, monotonic: Callable[[], float]) -> None:
        memory = options.auth_memory
        self._options = options
        self._key = secrets.token_bytes(16)
        # Apart from each other, so that a flood of one kind does not make another forgotten.
        self._networks = Failures(memory, monotonic)
        self._logins = Failures(memory, monotonic)
        self._pairs = Failures(memory, monotonic)
        self._passwords = Failures(memory, monotonic)
        self._welcome: dict[str, None] = {}

    def listens(self, login: str, network: str) -> bool:
        """Whether a password for this login from this network is looked at now."""
        options, pair = self._options, self._pair(login, network)
        here = self._pairs.count(pair)
        if here >= options.max_auth_failures_per_ip:
            return False
        if pair in self._welcome:
            # A neighbour behind the same address, or a stranger's guesses, are not held against it.
            return True
        if self._networks.count(network) >= options.max_auth_failures_per_ip:
            return False
        # Guessed at from many addresses: each of them has one try.
        return not here or self._logins.count(self._digest(login)) < options.max_auth_failures_per_login

    def wrong(self, login: str, password: str, network: str) -> int:
        """Count a wrong password; how often its price is doubled.

        A device that keeps sending yesterday's password guesses nothing: the same wrong password counts
        once, though each time it takes longer.
        """
        pair = self._pair(login, network)
        again = self._passwords.add(self._digest(f"{pair}\0{password}"))
        if again == 1:
            self._pairs.add(pair)
            self._networks.add(network)
            self._logins.add(self._digest(login))
        return min(max(again, self._logins.count(self._digest(login))) - 1, MOST_DOUBLINGS)

    def right(self, login: str, network: str) -> None:
        """A right password makes up for the wrong ones of this login from there."""
        pair = self._pair(login, network)
        made_up = self._pairs.count(pair)
        self._pairs.forget(pair)
        self._networks.forget(network, made_up)
        self._logins.forget(self._digest(login), made_up)
        for known in (pair, network):
            self._welcome.pop(known, None)
            if len(self._welcome) >= MOST_REMEMBERED:
                del self._welcome[next(iter(self._welcome))]
            self._welcome[known] = None

    def knows(self, network: str) -> bool:
        """Whether somebody from there has logged in lately."""
        return network in self._welcome

    def from_network(self, network: str) -> int:
        """How many different wrong passwords came from there lately."""
        return self._networks.count(network)

    def _pair(self, login: str, network: str) -> str:
        return f"{self._digest(login)} {network}"

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")[:16].hex()
