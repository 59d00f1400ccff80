"""What a person uploads inside an HTTP body: the body itself, or the files of a form in it."""

from __future__ import annotations

import http.client
import io
import zlib
from collections.abc import Mapping

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from seawall.errors import BodyMalformed, BodyTooLarge

MOST_PARTS = 256
# For `zlib`: either format that "deflate" and "gzip" stand for, found out by looking.
ANY_ZLIB = 32 + zlib.MAX_WBITS


def headers_of(head: bytes) -> dict[str, str]:
    """The headers of an HTTP head, names in small letters; the first line is left out.

    Raises:
        BodyMalformed: it cannot be read.
    """
    _, _, rest = head.partition(b"\r\n")
    try:
        message = http.client.parse_headers(io.BytesIO(rest))
    except http.client.HTTPException:
        raise BodyMalformed("The encapsulated HTTP head cannot be read.") from None
    return {name.lower(): value for name, value in message.items()}


def uploads_of(headers: Mapping[str, str], body: bytes, most: int) -> list[bytes]:
    """All files in a body, decompressed.

    Args:
        most: bytes that it may have when it is decompressed.

    Raises:
        BodyMalformed: it cannot be taken apart, so that nobody knows what is in it.
        BodyTooLarge: it grows to more.
    """
    for coding in reversed(headers.get("content-encoding", "identity").lower().split(",")):
        body = _decoded(coding.strip(), body, most)
    kind, options = parse_options_header(headers.get("content-type", ""))
    if not kind.startswith(b"multipart/"):
        return [body] if body else []
    return _Parts().of(body, options.get(b"boundary", b""))


def _decoded(coding: str, body: bytes, most: int) -> bytes:
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise BodyMalformed("The body is compressed in a way that is not read here.")
    inflater = zlib.decompressobj(ANY_ZLIB)
    try:
        plain = inflater.decompress(body, most + 1)
    except zlib.error:
        raise BodyMalformed("The compressed body is broken.") from None
    if len(plain) > most or inflater.unconsumed_tail:
        raise BodyTooLarge(f"The upload has more than {most} bytes.")
    if not inflater.eof or inflater.unused_data:
        raise BodyMalformed("The compressed body is not one whole stream.")
    return plain


class _Parts:
    """Collects every part of a form, whatever it says of itself: fields may hold what files hold."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._data = bytearray()
        self._ended = False

    def of(self, body: bytes, boundary: bytes) -> list[bytes]:
        """All parts that are not empty."""
        if not 1 <= len(boundary) <= 200:
            raise BodyMalformed("The body is a form without a boundary.")
        callbacks = {
            "on_part_begin": self._begin,
            "on_part_data": self._more,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        try:
            parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
            parser.write(body)
            parser.finalize()
        except FormParserError:
            raise BodyMalformed("The form in the body is broken.") from None
        if not self._ended:
            raise BodyMalformed("The form in the body ends before its closing boundary.")
        return [part for part in self._parts if part]

    def _begin(self) -> None:
        if len(self._parts) >= MOST_PARTS:
            raise BodyMalformed(f"The form has more than {MOST_PARTS} parts.")
        self._data = bytearray()

    def _more(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _end_part(self) -> None:
        self._parts.append(bytes(self._data))

    def _end(self) -> None:
        self._ended = True
