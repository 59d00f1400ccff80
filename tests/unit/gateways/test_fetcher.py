"""Fetching over real connections on loopback, by names that lead where a test says."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
from collections.abc import Callable

import httpcore
import pytest
import structlog

from seawall.errors import (
    BodyEmpty,
    BodyTooLarge,
    FetchedEncoded,
    FetchedStatus,
    FetchingOff,
    FetchNotPermitted,
    NotFetched,
    Overloaded,
    SeawallError,
)
from seawall.gateways.fetching import fetcher as fetching
from seawall.gateways.fetching.fetcher import Fetcher
from seawall.gateways.http.bodies import Upload
from seawall.settings import load_settings
from tests.unit.gateways.serving import Names, Network, Script, certified, reply, said, serving

PUBLIC, OTHER = "93.184.216.34", "2606:4700:4700::1111"
URL = "http://media.example.com/a.jpg"
LIMIT = 1000


def fetcher(network: httpcore.AsyncNetworkBackend | None, names: Names, **more: object) -> Fetcher:
    given = {"fetch_from": "*", "fetch_allow_http": True, "max_upload_bytes": LIMIT} | {
        name: value for name, value in more.items() if name != "authorities"
    }
    authorities = more.get("authorities")
    assert authorities is None or isinstance(authorities, ssl.SSLContext)
    return Fetcher(load_settings(**given), resolve=names, network=network, authorities=authorities)


def once(
    script: Script, names: Names | None = None, url: str = URL, dead: tuple[str, ...] = (), **more: object
) -> tuple[Upload | SeawallError, Network, list[bytes]]:
    """Fetches once: what came of it, where connections went, and what the server was asked."""

    async def run() -> tuple[Upload | SeawallError, Network, list[bytes]]:
        async with serving(script) as (port, heads):
            network = Network(port, dead)
            fetches = fetcher(network, names or Names(media_example_com=[PUBLIC]), **more)
            try:
                return await fetches.fetch(url, lambda _: None), network, heads
            except SeawallError as error:
                return error, network, heads
            finally:
                fetches.close()

    return asyncio.run(run())


def refused(found: Upload | SeawallError, kind: type[SeawallError] = NotFetched) -> SeawallError:
    assert type(found) is kind, found
    return found


# What is fetched, and what is asked for


def test_the_bytes_come_with_their_declared_type() -> None:
    found, network, _ = once(said(reply(b"bytes", Content_Type="image/jpeg; q=1")))
    assert found == Upload(b"bytes", media_type="image/jpeg")
    assert network.asked == [(PUBLIC, 80)]


def test_an_answer_in_chunks_is_read() -> None:
    body = b"5\r\nhello\r\n3\r\n you\r\n0\r\n\r\n"[:-14] + b"3\r\nyou\r\n0\r\n\r\n"
    found, _, _ = once(said(reply(body, length=False, Transfer_Encoding="chunked")))
    assert found == Upload(b"helloyou")


def test_nothing_of_ours_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the environment, no cookie, no credential, and no compression asked for."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    again = reply(b"", 302, Location="/b.jpg", Set_Cookie="a=b")
    found, network, heads = once(said(again, reply()), url="http://media.example.com:80/a.jpg?b=c")
    assert isinstance(found, Upload)
    assert network.asked == [(PUBLIC, 80)] * 2
    names = [{line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line} for head in heads]
    assert names == [{b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}] * 2
    assert heads[0].startswith(b"GET /a.jpg?b=c HTTP/1.1\r\nHost: media.example.com\r\n")
    assert b"Accept-Encoding: identity\r\n" in heads[0]
    assert heads[1].startswith(b"GET /b.jpg HTTP/1.1\r\n")


# Where connections may go


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once() -> None:
    """DNS rebinding: what was checked is what is connected to."""
    names = Names(media_example_com=[PUBLIC, "127.0.0.1"])
    found, network, _ = once(said(reply()), names)
    assert isinstance(found, Upload)
    assert (names.asked, network.asked) == (["media.example.com"], [(PUBLIC, 80)])


def test_a_redirect_to_the_same_name_is_checked_anew() -> None:
    names = Names(media_example_com=[PUBLIC, "127.0.0.1"])
    found, network, _ = once(said(reply(b"", 302, Location="/b.jpg"), reply()), names)
    refused(found)
    assert (names.asked, network.asked) == (["media.example.com"] * 2, [(PUBLIC, 80)])


@pytest.mark.parametrize(
    "answer",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", f"{PUBLIC} 127.0.0.1"],
)
def test_a_name_of_an_address_that_is_not_public_is_not_connected_to(answer: str) -> None:
    found, network, _ = once(said(reply()), Names(media_example_com=[answer]))
    refused(found)
    assert network.asked == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"]
)
def test_an_address_that_is_not_public_is_not_connected_to(host: str) -> None:
    names = Names()
    found, network, _ = once(said(reply()), names, url=f"http://{host}/")
    refused(found)
    assert (names.asked, network.asked) == ([], [])


def test_a_network_can_be_permitted() -> None:
    found, network, heads = once(said(reply()), url="http://2130706433/", fetch_networks="127.0.0.0/8")
    assert isinstance(found, Upload)
    assert network.asked == [("127.0.0.1", 80)]
    assert b"Host: 127.0.0.1\r\n" in heads[0]


def test_a_mapped_address_is_connected_to_as_what_it_is() -> None:
    _, network, _ = once(said(reply()), Names(media_example_com=[f"::ffff:{PUBLIC}"]))
    assert network.asked == [(PUBLIC, 80)]


def test_the_next_address_is_tried_where_nobody_answers() -> None:
    names = Names(media_example_com=[f"{OTHER} {PUBLIC}"])
    found, network, _ = once(said(reply()), names, dead=(OTHER,))
    assert isinstance(found, Upload)
    assert network.asked == [(OTHER, 80), (PUBLIC, 80)]


def test_only_so_many_addresses_are_tried() -> None:
    many = [f"93.184.216.{number}" for number in range(1, 20)]
    found, network, _ = once(said(reply()), Names(media_example_com=[" ".join(many)]), dead=tuple(many))
    refused(found)
    assert len(network.asked) == fetching.MOST_ADDRESSES


def test_what_is_not_named_is_not_looked_up() -> None:
    names = Names(media_example_com=[PUBLIC])
    found, _, _ = once(said(reply()), names, fetch_from="other.example.com")
    refused(found, FetchNotPermitted)
    found, _, _ = once(said(reply()), names, fetch_allow_http=False)
    refused(found, FetchNotPermitted)
    found, _, _ = once(said(reply()), names, fetch_from=None)
    refused(found, FetchingOff)
    assert names.asked == []


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    names = Names(media_example_com=[PUBLIC], cdn_example_com=[OTHER])
    found, network, heads = once(said(reply(b"", status, Location="http://CDN.example.com/b?c#d"), reply()), names)
    assert isinstance(found, Upload)
    assert network.asked == [(PUBLIC, 80), (OTHER, 80)]
    assert heads[1].startswith(b"GET /b?c HTTP/1.1\r\nHost: cdn.example.com\r\n")


@pytest.mark.parametrize(
    "location",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/", "http://0x7f.1/", "//127.0.0.1/"),
        *("http://private.example.com/", "http://media.example.com:6379/", "http://elsewhere.example.org/"),
        *(
            "file:///etc/passwd",
            "gopher://media.example.com/",
            "http://user:password@media.example.com/",
            "http://:80/",
        ),
    ],
)
def test_a_redirect_to_where_nobody_may_go_is_not_followed(location: str) -> None:
    names = Names(media_example_com=[PUBLIC], private_example_com=["10.0.0.1"], elsewhere_example_org=[PUBLIC])
    found, network, _ = once(
        said(reply(b"", 302, Location=location), reply()), names, fetch_from="*.example.com,127.0.0.1,[::1]"
    )
    refused(found)
    assert network.asked == [(PUBLIC, 80)]


def test_a_redirect_to_http_is_not_followed_where_https_is_asked_for() -> None:
    found = over_tls(said(reply(b"", 302, Location="http://media.example.com/"), reply()), fetch_allow_http=False)
    refused(found[0])
    assert found[1].asked == [(PUBLIC, 443)]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_only_so_many_redirects_are_followed(most: int) -> None:
    again = reply(b"", 302, Location="/again")
    found, _, heads = once(said(again), fetch_redirects=most)
    refused(found)
    assert len(heads) == most + 1
    found, _, _ = once(said(*[again] * most, reply()), fetch_redirects=most)
    assert isinstance(found, Upload)


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "\xff"}])
def test_a_redirect_to_nowhere_is_not_followed(headers: dict[str, str]) -> None:
    found, _, heads = once(said(reply(b"", 302, **headers), reply()))
    refused(found)
    assert len(heads) == 1


# TLS


def over_tls(
    script: Script, name: str = "media.example.com", believed: bool = True, **more: object
) -> tuple[Upload | SeawallError, Network, list[str | None]]:
    """Fetches over TLS from a server that has a certificate for `name`: what came, and which names it was
    asked for."""
    shown, authorities = certified(name)
    names = list[str | None]()
    shown.sni_callback = lambda _socket, asked, _context: names.append(asked)

    async def run() -> tuple[Upload | SeawallError, Network, list[str | None]]:
        async with serving(script, shown) as (port, _):
            network = Network(port)
            trust = authorities if believed else None
            fetches = fetcher(network, Names(media_example_com=[PUBLIC]), authorities=trust, **more)
            try:
                return await fetches.fetch("https://media.example.com/a.jpg", lambda _: None), network, names
            except SeawallError as error:
                return error, network, names
            finally:
                fetches.close()

    return asyncio.run(run())


def test_the_name_is_what_tls_is_about_though_the_number_is_connected_to() -> None:
    found, network, names = over_tls(said(reply(b"over tls")))
    assert found == Upload(b"over tls")
    assert (network.asked, names) == ([(PUBLIC, 443)], ["media.example.com"])


@pytest.mark.parametrize(("name", "believed"), [("other.example.com", True), ("media.example.com", False)])
def test_a_certificate_that_is_not_the_names_is_not_believed(name: str, believed: bool) -> None:
    refused(over_tls(said(reply()), name, believed)[0])


# What comes


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 429, 500, 503])
def test_another_status_is_an_error_of_its_own(status: int) -> None:
    found, _, _ = once(said(reply(b"", status)))
    assert str(status) in refused(found, FetchedStatus).message


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip", "zstd", "nonsense"])
def test_what_is_compressed_is_refused_and_not_unfolded(encoding: str) -> None:
    found, _, _ = once(said(reply(gzip.compress(bytes(900)), Content_Encoding=encoding)))
    refused(found, FetchedEncoded)


def test_what_is_not_compressed_may_say_so() -> None:
    found, _, _ = once(said(reply(Content_Encoding="identity")))
    assert isinstance(found, Upload)


def test_an_empty_answer_is_no_upload() -> None:
    refused(once(said(reply(b"")))[0], BodyEmpty)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", Content_Length=str(LIMIT + 1)),
        reply(bytes(LIMIT + 1)),
        reply(b"3e9\r\n" + bytes(LIMIT + 1) + b"\r\n0\r\n\r\n", length=False, Transfer_Encoding="chunked"),
    ],
    ids=["announced", "sent", "in-chunks"],
)
def test_what_is_over_the_limit_is_refused(answer: bytes) -> None:
    refused(once(said(answer))[0], BodyTooLarge)


def test_what_is_just_within_the_limit_is_taken() -> None:
    assert once(said(reply(bytes(LIMIT))))[0] == Upload(bytes(LIMIT))


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"half", Content_Length="8"),
        reply(b"8\r\nhalf", length=False, Transfer_Encoding="chunked"),
        reply(b"4\r\nhalf\r\n", length=False, Transfer_Encoding="chunked"),
        reply(b"half or whole", length=False),
    ],
    ids=["length", "within-a-chunk", "between-chunks", "until-it-ends"],
)
def test_a_part_never_passes_for_the_whole(answer: bytes) -> None:
    refused(once(said(answer))[0])


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"\r\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 two OK\r\n\r\n", b"\x16\x03\x01"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + bytes(200_000),
    ],
    ids=str,
)
def test_what_is_no_answer_is_not_fetched(answer: bytes) -> None:
    refused(once(said(answer))[0])


# Time and room


async def never(_: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def dripping(_: bytes, writer: asyncio.StreamWriter) -> None:
    """Always something, and never an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _number in range(600):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def dripping_head(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        writer.write(f"X-{number}: y\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.1)


async def always_going_on(_: bytes, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.timeout(50)
@pytest.mark.parametrize("script", [never, dripping, dripping_head, always_going_on])
def test_whoever_is_slow_is_left(script: Script) -> None:
    refused(once(script, fetch_timeout_s=0.5)[0])


@pytest.mark.timeout(50)
def test_a_lookup_that_hangs_is_left() -> None:
    enough = threading.Event()

    class Hanging(Names):
        def __call__(self, host: str, port: int) -> list[object]:  # type: ignore[override]
            enough.wait(40)
            return []

    async def run() -> None:
        fetches = fetcher(None, Hanging(), fetch_timeout_s=0.3)
        try:
            with pytest.raises(NotFetched):
                await fetches.fetch(URL, lambda _: None)
        finally:
            fetches.close()
            enough.set()

    asyncio.run(run())


def test_room_is_asked_for_before_anything_is_kept() -> None:
    taken = list[int]()

    def take(more: int) -> None:
        taken.append(more)
        raise Overloaded("There is no room.")

    async def run() -> None:
        async with serving(said(reply(bytes(500)))) as (port, _):
            fetches = fetcher(Network(port), Names(media_example_com=[PUBLIC]))
            with pytest.raises(Overloaded):
                await fetches.fetch(URL, take)
            fetches.close()

    asyncio.run(run())
    assert taken == [500]


def test_only_so_many_are_fetched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_AT_ONCE", 1)
    come, go = asyncio.Event(), asyncio.Event()

    async def waiting(_: bytes, writer: asyncio.StreamWriter) -> None:
        come.set()
        await go.wait()
        writer.write(reply())

    async def run() -> None:
        async with serving(waiting) as (port, _):
            fetches = fetcher(Network(port), Names(media_example_com=[PUBLIC]))
            first = asyncio.create_task(fetches.fetch(URL, lambda _: None))
            await come.wait()
            with pytest.raises(Overloaded):
                await fetches.fetch(URL, lambda _: None)
            go.set()
            assert isinstance(await first, Upload)
            assert isinstance(await fetches.fetch(URL, lambda _: None), Upload)
            fetches.close()

    asyncio.run(run())


# What is told


def test_what_trickles_in_leaves_half_of_the_room() -> None:
    come, go = asyncio.Event(), asyncio.Event()
    body = b"x" * 900

    async def trickling(_: bytes, writer: asyncio.StreamWriter) -> None:
        whole = reply(body)
        writer.write(whole[:-100])
        await writer.drain()
        come.set()
        await go.wait()
        writer.write(whole[-100:])

    async def run() -> None:
        async with serving(trickling) as (port, _):
            fetches = fetcher(Network(port), Names(media_example_com=[PUBLIC]), max_bodies_bytes=3000)
            taken = [0, 0]
            first = asyncio.create_task(fetches.fetch(URL, lambda more: taken.__setitem__(0, taken[0] + more)))
            await come.wait()
            while taken[0] < 800:
                await asyncio.sleep(0.01)
            with pytest.raises(Overloaded):
                await fetches.fetch(URL, lambda more: taken.__setitem__(1, taken[1] + more))
            assert taken == [800, 0]
            go.set()
            assert await first == Upload(body)
            assert await fetches.fetch(URL, lambda _: None) == Upload(body)
            fetches.close()

    asyncio.run(run())


def test_nobody_can_look_around_by_what_is_told() -> None:
    """A closed port, a silent one, something else that listens, an address that may not be reached, a name that is
    none, a redirect inside: all the same words. The log has the difference, and no address."""
    tries: list[Callable[[], tuple[Upload | SeawallError, Network, list[bytes]]]] = [
        lambda: once(said(reply()), dead=(PUBLIC,)),
        lambda: once(never, fetch_timeout_s=0.3),
        lambda: once(said(b"SSH-2.0-OpenSSH\r\n")),
        lambda: once(said(reply()), url="http://127.0.0.1/"),
        lambda: once(said(reply()), url="http://10.0.0.1/"),
        lambda: once(said(reply()), Names()),
        lambda: once(said(reply()), Names(media_example_com=["192.168.0.1"])),
        lambda: once(said(reply(b"", 302, Location="http://127.0.0.1/"))),
    ]
    with structlog.testing.capture_logs() as lines:
        told = [refused(attempt()[0]) for attempt in tries]
    assert len({(error.code, error.http_status, error.message, error.hint) for error in told}) == 1
    assert [line["event"] for line in lines] == ["fetch.failed"] * len(tries)
    assert len({line["reason"] for line in lines}) >= 4
    assert not any(word in str(lines) for word in ("example", "127.0.0.1", "10.0.0.1", "http:"))


def test_the_systems_resolver_is_asked() -> None:
    assert {address.is_loopback for address in fetching.looked_up("localhost", 80)} == {True}
    with pytest.raises(OSError):
        fetching.looked_up("no-such-name.invalid", 80)
    with pytest.raises(OSError):
        fetching.looked_up("a" * 64, 80)


def test_the_real_network_is_connected_to() -> None:
    """Without anything put in its place."""

    async def run() -> None:
        async with serving(said(reply(b"real"))) as (port, _):
            settings = load_settings(
                fetch_from=f"localhost:{port}", fetch_networks="127.0.0.0/8,::1/128", fetch_allow_http=True
            )
            fetches = Fetcher(settings)
            found = await fetches.fetch(f"http://localhost:{port}/", lambda _: None)
            assert found == Upload(b"real")
            fetches.close()

    asyncio.run(run())
