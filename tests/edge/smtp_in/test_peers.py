"""Whom an address belongs to."""

from ipaddress import ip_network

import pytest

from mailguard.edge.smtp_in.peers import UNKNOWN, Peers

PEERS = Peers((ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/48")))


@pytest.mark.parametrize(
    ("host", "address", "network", "trusted"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", True),
        ("198.51.100.1", "198.51.100.1", "198.51.100.1", False),
        ("::ffff:198.51.100.1", "198.51.100.1", "198.51.100.1", False),
        ("2001:db8:1:2:3::4", "2001:db8:1:2:3::4", "2001:db8:1:2::/64", True),
        ("2001:db8:2::1", "2001:db8:2::1", "2001:db8:2::/64", False),
        ("fe80::1%eth0", "fe80::1", "fe80::/64", False),
    ],
)
def test_whom_an_address_belongs_to(host: str, address: str, network: str, trusted: bool) -> None:
    peer = PEERS.of((host, 4711))
    assert (peer.address, peer.network, peer.trusted) == (address, network, trusted)
    assert not peer.loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine(host: str) -> None:
    assert PEERS.of((host, 1)).loopback
    assert not PEERS.of((host, 1)).trusted


@pytest.mark.parametrize("peername", [None, (), "", "/run/socket", ("no address", 1)])
def test_who_cannot_be_told_is_not_trusted(peername: object) -> None:
    assert Peers((ip_network("0.0.0.0/0"), ip_network("::/0"))).of(peername) == UNKNOWN
