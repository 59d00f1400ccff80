"""Which addresses of the network are public. Whoever names an address may reach those by themselves; of all others
they must not make Seawall the messenger.

After the IANA registries of special-purpose addresses for IPv4 and IPv6. Addresses that hold another one (mapped,
NAT64, 6to4, ISATAP) are taken for what they lead to.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What Python's own lists leave out, or some of its versions do. 168.63.129.16 is Azure's, and answers its machines
# alone.
SPECIAL: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    )
)
# All that is given out for hosts. What lies outside of it is local, a relic, or nobody's.
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
# The two forms of the half of an ISATAP address that stands before its IPv4 address (RFC 5214, section 6.1).
ISATAP = (0x0000_5EFE, 0x0200_5EFE)
# A name whose last part is a number is no name but an address of IPv4 (WHATWG URL, "ends in a number").
ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)


def literal(host: str) -> Address | None:
    """The address that a host is written as, or None where it is a name.

    Args:
        host: a name in ASCII without a dot at its end, or an address; of IPv6 without brackets. Of IPv4 every form
            that systems understand: 127.0.0.1, 127.1, 2130706433, 0177.0.0.1, 0x7f000001.

    Raises:
        ValueError: it looks like an address, and is none.
    """
    if ":" in host:
        return plain(IPv6Address(host))
    if not ENDS_IN_A_NUMBER.fullmatch(host):
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        raise ValueError("no address of IPv4") from None


def plain(address: Address) -> Address:
    """The address itself: of an IPv4 address in the clothes of IPv6 (::ffff:127.0.0.1) the former."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def stands_for(address: Address) -> tuple[Address, ...]:
    """The addresses that a connection to this one may end at."""
    address = plain(address)
    if isinstance(address, IPv4Address):
        return (address,)
    if address in NAT64:
        return (_last_of(address),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if (int(address) >> 32) & 0xFFFF_FFFF in ISATAP:
        return (address, _last_of(address))
    return (address,)


def is_public(address: Address) -> bool:
    """Whether it is public, and so is all that it leads to."""
    return all(_is_public(each) for each in stands_for(address))


def may_be_reached(address: Address, permitted: tuple[Network, ...]) -> bool:
    """Whether it, and all that it leads to, is public or lies in one of the networks."""
    return all(
        _is_public(each) or any(each in network for network in permitted if each.version == network.version)
        for each in stands_for(address)
    )


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in GLOBAL_UNICAST or address.scope_id is not None):
        return False
    if any(address in network for network in SPECIAL if network.version == address.version):
        return False
    return address.is_global and not (
        address.is_private
        or address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


def _last_of(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
