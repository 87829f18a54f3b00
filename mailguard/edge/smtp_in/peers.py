"""Who is at the other end: by which address it is counted, and whether it is trusted."""

import functools
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from mailguard.core.network import counted_by, plain
from mailguard.core.value import dataclass


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
            address = plain(host)
        except ValueError:
            return UNKNOWN
        return Peer(
            address=str(address),
            network=counted_by(address),
            trusted=any(address in network for network in self._trusted),
            loopback=address.is_loopback,
        )
