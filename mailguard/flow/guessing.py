"""Who guesses passwords, and what that costs: counted by address, by login, and by login at an address.

Nobody can lock another out: the wrong passwords of strangers slow a login down, but never close it to an
address from which it has not failed, nor to one from which it was let in before.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import field
from datetime import timedelta
from typing import Protocol

from mailguard.core.account import Account
from mailguard.core.value import dataclass
from mailguard.ports import Accounts

# One more address than this is remembered only by forgetting the one that was quiet for longest.
MOST_REMEMBERED = 10_000

# A wrong password gets no slower than this.
MOST_DOUBLINGS = 4


class Limits(Protocol):
    """How much guessing there may be, within `auth_memory`: from one address before it is not listened to
    any more, and for one login from all of them before an address that is new to it has one try only."""

    @property
    def auth_memory(self) -> timedelta:
        """How long a wrong password is remembered."""

    @property
    def max_auth_failures_per_ip(self) -> int:
        """Wrong passwords from one address."""

    @property
    def max_auth_failures_per_login(self) -> int:
        """Wrong passwords for one login."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """Somebody tried to log in: with a wrong `password`, or with a right one (None)."""

    login: str
    password: str | None = field(repr=False)
    network: str


class Guessing:
    """Shared by all ways in, SMTP and the page. Where those are in two processes, there are two of it that
    count alike: `tell` hears what was tried here, for the other one to `hear`. A login is known here only by
    a keyed digest: it may be as long as a line, and may be a password that was typed into the wrong field."""

    def __init__(
        self, options: Limits, monotonic: Callable[[], float], tell: Callable[[Tried], None] | None = None
    ) -> None:
        memory = options.auth_memory
        self._options = options
        self._tell = tell
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
        self._told(Tried(login=login, password=password, network=network))
        return self._wrong(login, password, network)

    def right(self, login: str, network: str) -> None:
        """A right password makes up for the wrong ones of this login from there."""
        self._told(Tried(login=login, password=None, network=network))
        self._right(login, network)

    def hear(self, tried: Tried) -> None:
        """Count what was tried elsewhere."""
        if tried.password is None:
            self._right(tried.login, tried.network)
        else:
            self._wrong(tried.login, tried.password, tried.network)

    def _told(self, tried: Tried) -> None:
        if self._tell is not None:
            self._tell(tried)

    def _wrong(self, login: str, password: str, network: str) -> int:
        pair = self._pair(login, network)
        again = self._passwords.add(self._digest(f"{pair}\0{password}"))
        if again == 1:
            self._pairs.add(pair)
            self._networks.add(network)
            self._logins.add(self._digest(login))
        return min(max(again, self._logins.count(self._digest(login))) - 1, MOST_DOUBLINGS)

    def _right(self, login: str, network: str) -> None:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What came of a login and a password: whose they are, or nobody's; `heard` is False where there were too
    many wrong ones, and this one was not looked at. Its price is doubled `doublings` times."""

    account: Account | None = None
    heard: bool = True
    doublings: int = 0


async def judged(guessing: Guessing, accounts: Accounts, login: str, password: str, network: str) -> Judged:
    """Look at a login and a password that came from this network, and count what came of them."""
    if not guessing.listens(login, network):
        return Judged(heard=False)
    try:
        account = await accounts.authenticate(login, password) if login and password else None
    except asyncio.CancelledError:
        # Who hangs up before the answer has made us compute all the same.
        guessing.wrong(login, password, network)
        raise
    if account is None:
        return Judged(doublings=guessing.wrong(login, password, network))
    if not guessing.listens(login, network):
        # One of many guesses at the same time; the others have used up what there was.
        return Judged(heard=False)
    guessing.right(login, network)
    return Judged(account=account)


class Failures:
    """Wrong passwords by whatever they are counted by; forgotten after `memory` without a new one."""

    def __init__(self, memory: timedelta, monotonic: Callable[[], float]) -> None:
        self._memory = memory.total_seconds()
        self._monotonic = monotonic
        self._seen: dict[str, tuple[int, float]] = {}

    def count(self, key: str) -> int:
        """How many there were lately."""
        count, last = self._seen.get(key, (0, 0.0))
        return count if self._monotonic() - last < self._memory else 0

    def add(self, key: str) -> int:
        """One more; how many that makes."""
        count = self.count(key) + 1
        self._seen.pop(key, None)
        if len(self._seen) >= MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = (count, self._monotonic())
        return count

    def forget(self, key: str, count: int | None = None) -> None:
        """Take back so many of them, or all."""
        seen, last = self._seen.get(key, (0, 0.0))
        if count is None or count >= seen:
            self._seen.pop(key, None)
        else:
            self._seen[key] = (seen - count, last)
