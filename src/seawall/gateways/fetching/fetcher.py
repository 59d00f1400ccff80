"""Getting what lies at an address: looked up once, checked, and asked at the very address that was checked.

Between looking a name up and connecting, its owner could have it lead elsewhere (DNS rebinding). So the connection is
made by the number that was checked, while TLS, certificate and the header Host are those of the name. A redirect is a
new address, and is looked up and checked like the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from urllib.parse import urljoin

import anyio
import httpcore
import structlog

from seawall import __version__
from seawall.engines.authorities import trusted
from seawall.errors import (
    BadInput,
    BodyEmpty,
    BodyTooLarge,
    FetchedEncoded,
    FetchedStatus,
    FetchingOff,
    FetchNotPermitted,
    NotFetched,
    Overloaded,
)
from seawall.gateways.fetching.addresses import Address, plain
from seawall.gateways.fetching.places import Target, places_of, target_of
from seawall.gateways.http.ballast import Ballast, Take
from seawall.gateways.http.bodies import Upload, declared_media_type
from seawall.settings import Settings

# Of one process. Each waits for somebody else's server, who may be slow on purpose.
MOST_AT_ONCE = 128
# Names that are looked up at once. The system gives a look-up up half a minute, and cannot be told to leave off.
MOST_LOOKUPS = 8
# Of the addresses of one name, so many are tried.
MOST_ADDRESSES = 4
# Seconds for one connection, and for each wait while an answer comes; the time for all of it is set.
CONNECT_S = 5.0
WAIT_S = 10.0
REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Sequence[Address]]

log = structlog.get_logger(__name__)


class Fetcher:
    """Fetches from where the settings allow. Used within one event loop; close it in the end.

    Args:
        resolve: looks a name up, in a thread; the system's resolver unless another is given.
        network: makes connections, to an address given as a number.
        authorities: whose certificates are believed; the system's unless given.

    Raises:
        ConfigurationError: the settings name a host or a network that is none.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        authorities: ssl.SSLContext | None = None,
    ) -> None:
        self._places = places_of(settings)
        self._limit = settings.max_upload_bytes
        self._timeout_s = settings.fetch_timeout_s
        self._redirects = settings.fetch_redirects
        self._resolve = resolve or looked_up
        self._network = network or httpcore.AnyIOBackend()
        self._authorities = authorities or (trusted() if self._places.patterns else None)
        self._lookups = ThreadPoolExecutor(MOST_LOOKUPS, thread_name_prefix="seawall-lookup")
        self._going = 0
        # What trickles in from strangers' servers must leave room for what platforms send.
        self._share = Ballast(max(settings.max_bodies_bytes // 2, settings.max_upload_bytes))

    def close(self) -> None:
        """Ends it. A look-up that hangs is not waited for."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    def check_on(self) -> None:
        """Holds that anything may be fetched at all.

        Raises:
            FetchingOff: nothing may.
        """
        if not self._places.patterns:
            raise FetchingOff("This Seawall fetches nothing by itself.")

    async def fetch(self, url: str, take: Take) -> Upload:
        """The whole of what lies at an address. What kept it from being had is told by one error and the same words,
        so that nobody can look around in the operator's network; the log says more.

        Args:
            take: is asked for room for each chunk before it is kept.

        Raises:
            BadInput: this is no address with http or https.
            BodyEmpty: there is no byte.
            BodyTooLarge: there are more bytes than an upload may have; what is over was not read into memory.
            FetchNotPermitted: the settings do not name this host and port.
            FetchedEncoded: it came compressed, though nobody asked for that.
            FetchedStatus: the server answered with another status than 200.
            FetchingOff: the settings name no host.
            NotFetched: it could not be had, wholly and in time, from an address that may be reached.
            Overloaded: there is no room now.
        """
        self.check_on()
        target = target_of(url)
        self._places.check(target)
        with self._place(), self._share.load() as share, _told_alike():

            def take_of_both(more: int) -> None:
                share(more)
                take(more)

            with anyio.fail_after(self._timeout_s):
                return await self._followed(target, take_of_both)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self._going >= MOST_AT_ONCE:
            raise Overloaded("Too many addresses are being fetched from at once.", hint="Send it again later.")
        self._going += 1
        try:
            yield
        finally:
            self._going -= 1

    async def _followed(self, target: Target, take: Take) -> Upload:
        for _ in range(self._redirects + 1):
            found = await self._asked(target, take)
            if isinstance(found, Upload):
                return found
            target = found
        raise _Failed("too many redirects")

    async def _asked(self, target: Target, take: Take) -> Upload | Target:
        """What lies at an address, or the address that its server sends to instead."""
        addresses = await self._checked_addresses(target)
        async with httpcore.AsyncHTTPConnection(
            _url(target).origin, ssl_context=self._authorities, network_backend=_Pinned(self._network, addresses)
        ) as connection:
            response = await connection.handle_async_request(_request(target))
            if response.status in REDIRECTS:
                return self._redirected(target, response)
            if response.status != 200:
                raise FetchedStatus(f"The server answered with the status {response.status}.")
            return await self._body(response, take)

    async def _checked_addresses(self, target: Target) -> Sequence[Address]:
        """Looks a name up, once. One address that may not be reached spoils all: no honest name has some of each."""
        found: Sequence[Address] = (target.address,) if target.address is not None else ()
        if target.address is None:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._lookups, self._resolve, target.host, target.port)
        if not found or not all(self._places.may_be_reached(address) for address in found):
            raise _Failed("no address that may be reached")
        return tuple(dict.fromkeys(plain(address) for address in found))[:MOST_ADDRESSES]

    def _redirected(self, target: Target, response: httpcore.Response) -> Target:
        location = _header(response, b"location")
        if not location:
            raise _Failed("redirect to nowhere")
        try:
            found = target_of(urljoin(target.form, location.decode("utf-8")))
            self._places.check(found)
        except (ValueError, BadInput, FetchNotPermitted) as error:
            # Told no more than where one leads within: what a platform's server says to others is not for everybody.
            raise _Failed(f"redirect: {getattr(error, 'code', 'unreadable')}") from None
        return found

    async def _body(self, response: httpcore.Response, take: Take) -> Upload:
        encodings = _header(response, b"content-encoding").lower().split(b",")
        if any(encoding.strip() not in (b"", b"identity") for encoding in encodings):
            raise FetchedEncoded("The server sent it compressed, though it was asked not to.")
        length = _header(response, b"content-length")
        if not length and not _header(response, b"transfer-encoding"):
            # It would end where the connection does, and a part of a file would pass for the whole.
            raise _Failed("an answer of no known length")
        if length.isdigit() and int(length) > self._limit:
            raise BodyTooLarge(f"There are more than {self._limit} bytes at the address.")
        body = bytearray()
        async for chunk in response.aiter_stream():
            if len(body) + len(chunk) > self._limit:
                raise BodyTooLarge(f"There are more than {self._limit} bytes at the address.")
            take(len(chunk))
            body += chunk
        if not body:
            raise BodyEmpty("There is no byte at the address.")
        kind = _header(response, b"content-type").decode("latin-1").partition(";")[0].strip().lower()
        return Upload(bytes(body), media_type=declared_media_type(kind))


def looked_up(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, by the system's resolver.

    Raises:
        OSError: it has none, or nobody can tell.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError("no name of the DNS") from None
    return [ip_address(place[4][0]) for place in found]


class _Failed(Exception):
    """Why something was not fetched, in words for the log."""


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that were checked, whatever the name that it is asked to connect to."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, addresses: Sequence[Address]) -> None:
        self._network = network
        self._addresses = addresses

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - that is the point
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first that answers."""
        failed: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


@contextlib.contextmanager
def _told_alike() -> Iterator[None]:
    """Whatever keeps something from being fetched becomes one error, and a line in the log without the address."""
    try:
        yield
    except _Failed as failed:
        reason = str(failed)
    except (
        OSError,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        reason = type(error).__name__
    else:
        return
    log.info("fetch.failed", reason=reason)
    raise NotFetched("It could not be fetched from this address.")


def _url(target: Target) -> httpcore.URL:
    return httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )


def _request(target: Target) -> httpcore.Request:
    """What is sent: nothing of the platform's request, no cookie, no credential."""
    return httpcore.Request(
        "GET",
        _url(target),
        headers=[
            ("Host", target.authority),
            ("User-Agent", f"Seawall/{__version__}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ],
        extensions={"timeout": {"connect": CONNECT_S, "read": WAIT_S, "write": WAIT_S}},
    )


def _header(response: httpcore.Response, name: bytes) -> bytes:
    """All that an answer says under one name."""
    return b",".join(value for key, value in response.headers if key.lower() == name)
