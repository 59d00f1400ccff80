"""ICAP as text (RFC 3507): heads, what is encapsulated, chunks, answers. Nothing here reads or writes a socket.

A request has a head like HTTP's. Its header ``Encapsulated`` says at which offsets the HTTP heads stand behind it,
and whether an HTTP body follows in chunks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seawall.errors import BodyMalformed

LONGEST_HEAD = 64 * 1024
LONGEST_HTTP_HEADS = 256 * 1024
LONGEST_CHUNK_LINE = 256
# Clients are asked to send so much before they wait for "100 Continue": small pictures then need no second turn.
PREVIEW_BYTES = 4096
OPTIONS_TTL_S = 60

REQUEST_LINE = re.compile(r"([A-Z]+) (icaps?://\S+|\S+) ICAP/1\.0")
SECTION = re.compile(r"(req-hdr|res-hdr|req-body|res-body|opt-body|null-body)=(\d{1,9})")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\r\n]*)?\r\n")
REASONS = {
    100: "Continue",
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    404: "ICAP Service Not Found",
    405: "Method Not Allowed For Service",
    500: "Server Error",
    503: "Service Overloaded",
}
SERVICES = {"REQMOD": "/reqmod", "RESPMOD": "/respmod"}

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not available</title></head>
<body><h1>Not available</h1><p>{text}</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of an ICAP request. `headers` have their names in small letters; `sections` are in their order."""

    method: str
    path: str
    headers: Mapping[str, str]
    sections: tuple[tuple[str, int], ...]

    @property
    def heads_bytes(self) -> int:
        """How many bytes of HTTP heads follow."""
        return self.sections[-1][1] if self.sections else 0

    @property
    def has_body(self) -> bool:
        """Whether a body follows those, in chunks."""
        return bool(self.sections) and self.sections[-1][0] != "null-body"

    @property
    def preview(self) -> int | None:
        """How many bytes of the body come before the client waits; None when it does not wait."""
        given = self.headers.get("preview", "")
        return int(given) if given.isdecimal() else None

    @property
    def allows_204(self) -> bool:
        """Whether "as it is" may be answered without sending everything back."""
        return "204" in (part.strip() for part in self.headers.get("allow", "").split(","))

    @property
    def closes(self) -> bool:
        """Whether the client wants no further request on this connection."""
        return self.headers.get("connection", "").lower() == "close"

    def head(self, name: str, heads: bytes) -> bytes:
        """One HTTP head out of all that were encapsulated; empty when it was not."""
        for place, (section, start) in enumerate(self.sections[:-1]):
            if section == name:
                return heads[start : self.sections[place + 1][1]]
        return b""


def request_of(head: bytes) -> Request:
    """The head of a request, with the empty line that ends it.

    Raises:
        BodyMalformed: it is none.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    line = REQUEST_LINE.fullmatch(first)
    if line is None:
        raise BodyMalformed("This is no ICAP request.")
    headers = {}
    for text in lines:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or name != name.strip() or name.lower() in headers:
            raise BodyMalformed("A header of the ICAP request cannot be read, or is there twice.")
        headers[name.lower()] = value.strip()
    path = re.sub(r"icaps?://[^/]*", "", line[2]).partition("?")[0] or "/"
    return Request(line[1], path, headers, _sections(headers.get("encapsulated")))


def _sections(encapsulated: str | None) -> tuple[tuple[str, int], ...]:
    if encapsulated is None:
        return ()
    found = [SECTION.fullmatch(part.strip()) for part in encapsulated.split(",")]
    sections = [(match[1], int(match[2])) for match in found if match is not None]
    starts = [start for _, start in sections]
    whole = len(sections) == len(found) and starts == sorted(starts) and starts[:1] == [0]
    bodies = [name.endswith("-body") for name, _ in sections]
    if not whole or not bodies[-1] or any(bodies[:-1]) or starts[-1] > LONGEST_HTTP_HEADS:
        raise BodyMalformed("The header Encapsulated cannot be read.")
    return tuple(sections)


def chunk_of(line: bytes) -> tuple[int, bool]:
    """The length of a chunk, and whether it says that a preview was the whole body.

    Raises:
        BodyMalformed: the line says neither.
    """
    match = CHUNK.fullmatch(line)
    if match is None:
        raise BodyMalformed("A chunk of the body has no length.")
    return int(match[1], 16), "ieof" in (match[2] or b"").decode("latin-1").lower()


def answer(status: int, headers: Mapping[str, str]) -> bytes:
    """A head of an ICAP answer."""
    lines = [f"ICAP/1.0 {status} {REASONS[status]}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def options(method: str, tag: str, max_connections: int) -> dict[str, str]:
    """What a service says of itself."""
    return {
        "Methods": method,
        "Service": "Seawall",
        "ISTag": tag,
        "Max-Connections": str(max_connections),
        "Options-TTL": str(OPTIONS_TTL_S),
        "Allow": "204",
        "Preview": str(PREVIEW_BYTES),
        "Transfer-Preview": "*",
        "Encapsulated": "null-body=0",
    }


def refusal(text: str, verdict: str) -> tuple[bytes, bytes]:
    """Head and body of the HTTP answer that takes the place of what may not pass.

    Args:
        text: for the person at the browser; nothing of what was found.
    """
    body = PAGE.format(text=text).encode()
    head = (
        "HTTP/1.1 403 Forbidden\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        f"X-Seawall-Verdict: {verdict}\r\n"
        "\r\n"
    )
    return head.encode(), body


def chunked(body: bytes) -> bytes:
    """A body as one chunk and the end."""
    first = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
    return first + b"0\r\n\r\n"
