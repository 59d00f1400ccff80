"""Hosts, ports and networks, as an operator names them."""

from __future__ import annotations

import pytest

from seawall.errors import BadInput, ConfigurationError, FetchNotPermitted
from seawall.gateways.fetching.places import Places, places_of, target_of
from seawall.settings import load_settings


def places(hosts: str | None, networks: str | None = None, allow_http: bool = False) -> Places:
    return places_of(load_settings(fetch_from=hosts, fetch_networks=networks, fetch_allow_http=allow_http))


def permits(hosts: str, url: str, allow_http: bool = True) -> bool:
    try:
        places(hosts, allow_http=allow_http).check(target_of(url))
    except FetchNotPermitted:
        return False
    return True


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ("media.example.com", "https://media.example.com/a.jpg"),
        ("media.example.com", "HTTPS://MEDIA.example.com.:443/a.jpg"),
        ("Media.Example.com", "http://media.example.com/a.jpg"),
        ("a.example, media.example.com", "https://media.example.com"),
        ("*.example.com", "https://a.example.com/"),
        ("*.example.com", "https://a.b.example.com/"),
        ("*", "https://anything.example/"),
        ("*", "https://8.8.8.8/"),
        ("media.example.com:8443", "https://media.example.com:8443/"),
        ("*:8443", "https://media.example.com:8443/"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("*.bücher.example", "https://a.BÜCHER.example/"),
        ("127.0.0.1", "https://2130706433/"),
        ("[2001:db8::7]:81", "http://[2001:DB8:0::7]:81/"),
        ("10.1.1.1", "https://[::ffff:10.1.1.1]/"),
    ],
)
def test_what_is_named_is_permitted(hosts: str, url: str) -> None:
    assert permits(hosts, url)


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ("media.example.com", "https://example.com/"),
        ("media.example.com", "https://media.example.com.evil.example/"),
        ("media.example.com", "https://evil-media.example.com/"),
        ("media.example.com", "https://media.example.com:8443/"),
        ("media.example.com", "https://media.example.com:80/"),
        ("media.example.com", "http://media.example.com:443/"),
        ("media.example.com:8443", "https://media.example.com/"),
        ("*.example.com", "https://example.com/"),
        ("*.example.com", "https://evilexample.com/"),
        ("*.0.0.1.example", "https://127.0.0.1/"),
        ("*", "https://anything.example:22/"),
        ("*", "http://anything.example:6379/"),
    ],
)
def test_what_is_not_named_is_not(hosts: str, url: str) -> None:
    assert not permits(hosts, url)


def test_http_is_another_permission() -> None:
    assert not permits("*", "http://media.example.com/", allow_http=False)
    assert permits("*", "https://media.example.com/", allow_http=False)


@pytest.mark.parametrize(
    "hosts",
    [
        *("https://media.example.com", "media.example.com/path", "media*.example.com", "*.*.example.com", "*."),
        *("user@media.example.com", "media.example.com:0", "media.example.com:65536", "media.example.com:http"),
        *("*.127.0.0.1", "300.1.1.1", "::1", "[::1", "a b", "média..example"),
    ],
)
def test_a_host_that_is_none_stops_the_service_at_its_start(hosts: str) -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_FETCH_FROM"):
        places(hosts)


@pytest.mark.parametrize("networks", ["10.0.0.1/8", "10.0.0.0/33", "all", "::ffff:10.0.0.0/104", "10.0.0.0-10.1.1.1"])
def test_so_does_a_network_that_is_none(networks: str) -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_FETCH_NETWORKS"):
        places("*", networks)


@pytest.mark.parametrize("hosts", [None, "", " , "])
def test_nothing_is_named_by_default(hosts: str | None) -> None:
    assert places(hosts).patterns == ()


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://Example.com", "example.com", 443, "/", "example.com"),
        ("http://example.com:8080/a?b=c#d", "example.com", 8080, "/a?b=c", "example.com:8080"),
        ("https://example.com?q=://x/:1", "example.com", 443, "/?q=://x/:1", "example.com"),
        ("https://[::1]/x", "::1", 443, "/x", "[::1]"),
        ("https://[2001:db8::1]:81/x", "2001:db8::1", 81, "/x", "[2001:db8::1]:81"),
        ("https://0x7f.1/", "127.0.0.1", 443, "/", "127.0.0.1"),
        ("https://①②⑦.⓪.⓪.①/", "127.0.0.1", 443, "/", "127.0.0.1"),
        ("https://%31%32%37.0.0.1/", "127.0.0.1", 443, "/", "127.0.0.1"),
        ("https://example.com/a\r\nX: y", "example.com", 443, "/a%0D%0AX:%20y", "example.com"),
        ("https://example.com/ü", "example.com", 443, "/%C3%BC", "example.com"),
    ],
)
def test_an_address_is_taken_apart_once(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = target_of(url)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://x/",
            "//example.com/",
            "example.com",
            "",
            " https://a/",
        ),
        *("https://user:password@example.com/", "https://a@b@example.com/", "https:///x", "https://exa mple.com/"),
        *("https://example.com:99999/", "https://[::1%25eth0]/", "https://[::1/", "https://127.0.0.256/"),
        *("https://example.com\\@127.0.0.1/", "https://example.com\x00.a/", "https://a..b/"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        target_of(url)
