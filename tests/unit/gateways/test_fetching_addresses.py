"""No address that is not public passes, in whatever form it is written or hidden."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.gateways.fetching.addresses import NAT64, is_public, literal, may_be_reached, plain, stands_for

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "192.0.1.1", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
]
NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "100::1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "2001::1", "2001:10::1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1"),
    *("2002:a9fe:a9fe::1", "2002:c0a8:101::1", "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:10.0.0.1"),
    *("3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
]
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
# Most numbers of 128 bits are nobody's: these lie where something is, or where an IPv4 address is hidden.
HIDING = st.builds(
    lambda form, inner, rest: form(int(inner), rest),
    st.sampled_from(
        [
            lambda inner, _: IPv6Address(inner),
            lambda inner, _: IPv6Address(0xFFFF << 32 | inner),
            lambda inner, _: IPv6Address(0xFFFF << 48 | inner),
            lambda inner, _: IPv6Address(0x64FF9B << 96 | inner),
            lambda inner, rest: IPv6Address(0x2002 << 112 | inner << 80 | rest),
            lambda inner, rest: IPv6Address(0x20010000 << 96 | rest << 32 | inner),
            lambda inner, rest: IPv6Address(0x2606 << 112 | (rest & 0xFFFFFFFF) << 64 | 0x5EFE << 32 | inner),
            lambda inner, rest: IPv6Address(0x2 << 124 | inner << 80 | rest),
        ]
    ),
    V4,
    st.integers(0, 2**64 - 1),
)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_others_do_not(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@given(st.one_of(V4, V6, HIDING))
def test_no_address_passes_that_is_not_global(address: IPv4Address | IPv6Address) -> None:
    """Held to what Python itself says, of the address and of every address that it holds by Python's reckoning."""
    if not is_public(address):
        return
    inner = [address]
    if isinstance(address, IPv6Address):
        inner += [each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if each]
        inner = inner[1:] if address.ipv4_mapped else inner
        assert address in ipaddress.ip_network("2000::/3") or inner != [address] or address in NAT64
    for each in inner:
        assert each.is_global
        assert (each.is_private, each.is_loopback, each.is_link_local) == (False, False, False)
        assert (each.is_multicast, each.is_unspecified) == (False, False)
        assert not each.is_reserved or each in NAT64


@given(V4.filter(lambda address: not address.is_global))
def test_no_private_address_hides_in_another(inner: IPv4Address) -> None:
    number = int(inner)
    for hidden in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, number):
        assert not is_public(IPv6Address(hidden))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(
            (form, "127.0.0.1")
            for form in ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0X7F.1", "017700000001")
        ),
        *((form, "127.0.0.1") for form in ("0177.0.0.1", "0x7f.0x0.0x0.0x1", "127.0.1", "::ffff:127.0.0.1")),
        ("0", "0.0.0.0"),
        ("::ffff:a9fe:a9fe", "169.254.169.254"),
        ("2852039166", "169.254.169.254"),
        ("8.8.8.8", "8.8.8.8"),
        ("::1", "::1"),
    ],
)
def test_an_address_is_what_it_is_in_every_form(written: str, meant: str) -> None:
    assert literal(written) == ipaddress.ip_address(meant)


@pytest.mark.parametrize("name", ["example.com", "localhost", "1.example.com", "0x7f.example", "a1", "deadbeef"])
def test_a_name_is_none(name: str) -> None:
    assert literal(name) is None


@pytest.mark.parametrize(
    "text", ["1.2.3.4.5", "256.1.1.1", "127.0.0.08", "example.1", "4294967296", "1.2.3.0x", "1:2"]
)
def test_what_only_looks_like_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        literal(text)


@pytest.mark.parametrize(
    ("address", "networks", "may"),
    [
        ("10.20.3.4", ("10.20.0.0/16",), True),
        ("10.21.3.4", ("10.20.0.0/16",), False),
        ("::ffff:10.20.3.4", ("10.20.0.0/16",), True),
        ("64:ff9b::10.20.3.4", ("10.20.0.0/16",), True),
        ("fd00:1::7", ("10.0.0.0/8", "fd00:1::/64"), True),
        ("fd00:2::7", ("fd00:1::/64",), False),
        ("2606:4700::5efe:127.0.0.1", ("2606:4700::/32",), False),
        ("8.8.8.8", ("10.0.0.0/8",), True),
    ],
)
def test_networks_are_permitted_one_by_one(address: str, networks: tuple[str, ...], may: bool) -> None:
    permitted = tuple(ipaddress.ip_network(network) for network in networks)
    assert may_be_reached(ipaddress.ip_address(address), permitted) is may


def test_a_mapped_address_is_connected_to_as_what_it_is() -> None:
    assert plain(IPv6Address("::ffff:8.8.8.8")) == IPv4Address("8.8.8.8")
    assert stands_for(IPv6Address("64:ff9b::8.8.8.8")) == (IPv4Address("8.8.8.8"),)
    assert plain(IPv6Address("64:ff9b::8.8.8.8")) == IPv6Address("64:ff9b::8.8.8.8")
