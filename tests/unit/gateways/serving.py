"""A server on loopback that answers as it is told, byte for byte, and names that lead where a test says."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from seawall.gateways.fetching.addresses import Address

Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes = b"the bytes", status: int = 200, length: bool = True, **headers: str) -> bytes:
    """A whole answer; an underscore in a header's name is a dash."""
    said = {"Content-Length": str(len(body))} if length else {}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} As Told\r\n{lines}\r\n".encode("latin-1") + body


def said(*replies: bytes) -> Script:
    """Gives one answer after another, the last one for ever."""
    left = list(replies)

    async def script(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return script


@contextlib.asynccontextmanager
async def serving(
    script: Script, certificate: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """The server's port, and the heads of the requests that come."""
    heads = list[bytes]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await script(heads[-1], writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificate)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()


class Network(httpcore.AsyncNetworkBackend):
    """Notes where a connection was to go, and makes it to the port on loopback instead.

    Args:
        dead: addresses at which nobody answers.
    """

    def __init__(self, port: int, dead: Iterable[str] = ()) -> None:
        self._port = port
        self._dead = set(dead)
        self.asked = list[tuple[str, int]]()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *more: object, **named: object
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        if host in self._dead:
            raise httpcore.ConnectError("nobody is there")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._port, timeout)


class Names:
    """A resolver that answers what it is told, one answer after another; the last one for ever."""

    def __init__(self, **names: list[str]) -> None:
        self._names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked = list[str]()

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        answers = self._names.get(host)
        if not answers:
            raise OSError("no such name")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(each) for each in answer.split()]


def certified(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of that name shows, and what believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Seawall test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown = certificate.public_bytes(serialization.Encoding.PEM)
    kept = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(kept + shown)
        server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=shown.decode())
