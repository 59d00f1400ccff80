"""From where Seawall may fetch: hosts by name and port, and networks by their addresses."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv6Address

from seawall.errors import BadInput, ConfigurationError, FetchNotPermitted
from seawall.gateways.fetching.addresses import Address, Network, literal, may_be_reached
from seawall.links.canonical import DEFAULT_PORTS, canonical
from seawall.settings import Settings

ANY = "*"
BELOW = "*."
# A host, of IPv6 in brackets, and a port.
PATTERN = re.compile(r"(\[[^\[\]]*\]|[^:\[\]/?#@%\s]+)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Target:
    """One address to fetch from, taken apart once for all that follows: what is checked is what is asked.

    `host` is a name in ASCII, or an address in its usual form, of IPv6 without brackets; `address` is there where the
    host is one. `path` is what follows, with the query. `form` is all of it in its canonical form.
    """

    scheme: str
    host: str
    port: int
    path: str
    form: str
    address: Address | None

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hosts and a port; without one, those of https and http."""

    name: str
    port: int | None

    def fits(self, target: Target) -> bool:
        """Whether it is one of these."""
        if target.port != (DEFAULT_PORTS[target.scheme] if self.port is None else self.port):
            return False
        if self.name.startswith(BELOW):
            return target.address is None and target.host.endswith(self.name.removeprefix(ANY))
        return self.name in (ANY, target.host)


@dataclass(frozen=True, slots=True)
class Places:
    """What the operator has set. Without a pattern nothing is fetched."""

    patterns: tuple[Pattern, ...]
    networks: tuple[Network, ...]
    allow_http: bool

    def check(self, target: Target) -> None:
        """Holds an address to what is set, before anything is asked of the network.

        Raises:
            FetchNotPermitted: it is not among the hosts, or has http where that is not allowed.
        """
        if target.scheme != "https" and not self.allow_http:
            raise FetchNotPermitted("Seawall fetches by https:// alone.")
        if not any(pattern.fits(target) for pattern in self.patterns):
            raise FetchNotPermitted("Seawall does not fetch from this host and port.")

    def may_be_reached(self, address: Address) -> bool:
        """Whether a connection to this address may be made: it is public, or in one of the networks."""
        return may_be_reached(address, self.networks)


def places_of(settings: Settings) -> Places:
    """The places that the settings name.

    Raises:
        ConfigurationError: one of them is none.
    """
    return Places(
        patterns=tuple(_pattern(each) for each in _listed(settings.fetch_from)),
        networks=tuple(_network(each) for each in _listed(settings.fetch_networks)),
        allow_http=settings.fetch_allow_http,
    )


def target_of(url: str) -> Target:
    """An address, read by the parser that makes the canonical form, and by no other.

    Raises:
        BadInput: it is no address with http or https and a host, or holds a name or a password.
    """
    form = canonical(url)
    scheme, _, rest = form.partition("://")
    authority, _, path = rest.partition("/")
    host, _, port = authority.rpartition(":") if re.search(r":[0-9]+$", authority) else (authority, "", "")
    host = host.removeprefix("[").removesuffix("]")
    try:
        address = literal(host)
    except ValueError:
        raise BadInput("The host of the address is neither a name nor an IP address.") from None
    return Target(
        scheme=scheme,
        host=host if address is None else str(address),
        port=int(port) if port else DEFAULT_PORTS[scheme],
        path=f"/{path}",
        form=form,
        address=address,
    )


def _listed(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").split(",") if each.strip()]


def _pattern(text: str) -> Pattern:
    parts = PATTERN.fullmatch(text)
    wrong = ConfigurationError(
        f"SEAWALL_FETCH_FROM: {text} is no host.",
        hint="Write hosts as media.example.com, *.example.com or media.example.com:8443, separated by commas.",
    )
    if parts is None or not (parts[2] is None or 0 < int(parts[2]) <= 65535):
        raise wrong
    port = None if parts[2] is None else int(parts[2])
    if parts[1] == ANY:
        return Pattern(ANY, port)
    below = BELOW if parts[1].startswith(BELOW) else ""
    try:
        host = target_of(f"https://{parts[1].removeprefix(below)}/")
    except BadInput:
        raise wrong from None
    if below and host.address is not None:
        raise wrong
    return Pattern(f"{below}{host.host}", port)


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigurationError(
            f"SEAWALL_FETCH_NETWORKS: {text} is no network ({error}).",
            hint="Write networks as 10.20.0.0/16 or fd00:1::/64, separated by commas.",
        ) from None
    # A single address may be meant as mapped; it would be compared with nothing.
    if isinstance(network.network_address, IPv6Address) and network.network_address.ipv4_mapped is not None:
        raise ConfigurationError(
            f"SEAWALL_FETCH_NETWORKS: {text} is a network of IPv4.", hint="Write it as 10.20.0.0/16."
        )
    return network
