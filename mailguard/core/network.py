"""Addresses of machines: two spellings of one, and by what a client is counted."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def plain(text: str) -> IPv4Address | IPv6Address:
    """The address that this is. Raises ValueError.

    An IPv4 client on an IPv6 socket (::ffff:192.0.2.1) is an IPv4 client; a zone is not part of it.
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped if address.ipv4_mapped is not None else IPv6Address(int(address))
    return address


def counted_by(address: IPv4Address | IPv6Address) -> str:
    """What a client is counted by: itself, or its /64 (IPv6 hands those out)."""
    return str(address) if address.version == 4 else str(ip_network((int(address), 64), strict=False))
