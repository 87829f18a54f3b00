"""Who is at the other end: whether it is trusted, and how often it got a password wrong."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# One more address than this is remembered only by forgetting the one that was quiet for longest.
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """A client's address. `network` is what it is counted by: itself, or its /64 (IPv6 hands those out)."""

    address: str
    network: str
    trusted: bool
    loopback: bool


UNKNOWN = Peer(address="unknown", network="unknown", trusted=False, loopback=False)


class Peers:
    """Tells whom an address belongs to."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._trusted = tuple(trusted)
        self.peer = functools.lru_cache(maxsize=4096)(self._peer)

    def of(self, peername: object) -> Peer:
        """The peer of a transport's `peername`; a client that is gone already is unknown and not trusted."""
        if not isinstance(peername, tuple) or not peername:
            return UNKNOWN
        return self.peer(str(peername[0]))

    def _peer(self, host: str) -> Peer:
        try:
            address = _plain(ip_address(host))
        except ValueError:
            return UNKNOWN
        return Peer(
            address=str(address),
            network=str(address)
            if address.version == 4
            else str(ip_network((int(address), 64), strict=False)),
            trusted=any(address in network for network in self._trusted),
            loopback=address.is_loopback,
        )


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 client on an IPv6 socket (::ffff:192.0.2.1) is an IPv4 client; a zone is not part of it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        return IPv6Address(int(address))
    return address


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
