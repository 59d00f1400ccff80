"""What a person uploads inside an HTTP body: the body itself, or the files of a form in it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from seawall.errors import BodyMalformed, BodyTooLarge
from seawall.gateways.icap.heads import HttpHead

MOST_PARTS = 256
# Bytes that are decompressed at once.
PIECE = 1024 * 1024
# RFC 2046, 5.1.1, and those few more that are seen.
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_./:=?#$%&*!@~-]{1,200}")
# Encodings of a part that change nothing in its bytes (RFC 7578, 4.7, wants no others).
PLAIN = frozenset({"", "binary", "8bit", "7bit"})
# For `zlib`: either format that "deflate" and "gzip" stand for, found out by looking.
ANY_ZLIB = 32 + zlib.MAX_WBITS


def uploads_of(head: HttpHead, body: bytes, most: int) -> list[bytes]:
    """All files in a body, decompressed.

    Args:
        most: bytes that it may have when it is decompressed.

    Raises:
        BodyMalformed: it cannot be taken apart, so that nobody knows what is in it.
        BodyTooLarge: it grows to more.
    """
    head.check_whole(len(body))
    if head.coding:
        body = b"".join(_inflated(head.coding, body, most))
    content_type = head.one("content-type")
    if "multipart/" not in content_type.lower():
        return [body] if body else []
    return _Parts().of(body, _boundary(content_type))


def _boundary(content_type: str) -> bytes:
    """What stands between the parts of a form.

    Raises:
        BodyMalformed: this is no form, or readers could differ about the boundary.
    """
    kind, options = parse_options_header(content_type)
    once = content_type.lower().count("boundary") == 1 and "," not in content_type
    if not (kind.startswith(b"multipart/") and once) or kind == b"multipart/byteranges":
        raise BodyMalformed("The body has several parts, but not as a form has them.")
    boundary = options.get(b"boundary", b"")
    if not BOUNDARY.fullmatch(boundary):
        raise BodyMalformed("The body is a form without a boundary.")
    return boundary


def size_of(head: HttpHead, body: bytes, most: int) -> int:
    """How many bytes a body has when it is decompressed, found out without keeping them.

    Raises:
        BodyMalformed, BodyTooLarge: as with `uploads_of`.
    """
    return sum(map(len, _inflated(head.coding, body, most))) if head.coding else len(body)


def _inflated(coding: str, body: bytes, most: int) -> Iterator[bytes]:
    """The decompressed body, piece by piece."""
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise BodyMalformed("The body is compressed in a way that is not read here.")
    inflater, size, rest, ahead = zlib.decompressobj(ANY_ZLIB), 0, b"", 0
    while not inflater.eof:
        if not rest:
            rest, ahead = body[ahead : ahead + PIECE], ahead + PIECE
        try:
            piece = inflater.decompress(rest, PIECE)
        except zlib.error:
            raise BodyMalformed("The compressed body is broken.") from None
        size, rest = size + len(piece), inflater.unconsumed_tail
        if size > most:
            raise BodyTooLarge(f"The upload has more than {most} bytes.")
        if not piece and not rest and ahead >= len(body):
            break
        yield piece
    if not inflater.eof or inflater.unused_data or ahead < len(body):
        raise BodyMalformed("The compressed body is not one whole stream.")


class _Parts:
    """Collects every part of a form, whatever it says of itself: fields may hold what files hold."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._data = bytearray()
        self._name = bytearray()
        self._value = bytearray()
        self._fields: list[tuple[str, str]] = []
        self._ended = False

    def of(self, body: bytes, boundary: bytes) -> list[bytes]:
        """All parts that are not empty."""
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._more_name,
            "on_header_value": self._more_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
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
        # What comes behind the closing boundary is no part of the form, but of what somebody may keep.
        if not self._ended or body.partition(b"--" + boundary + b"--")[2].strip():
            raise BodyMalformed("The form in the body does not end with its closing boundary.")
        return [part for part in self._parts if part]

    def _begin(self) -> None:
        if len(self._parts) >= MOST_PARTS:
            raise BodyMalformed(f"The form has more than {MOST_PARTS} parts.")
        self._data, self._fields = bytearray(), []

    def _more_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _more_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._fields.append((self._name.decode("latin-1").strip().lower(), self._value.decode("latin-1").strip()))
        self._name, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        """
        Raises:
            BodyMalformed: the bytes of the part are not those that its receiver makes of them.
        """
        head = HttpHead("", tuple(self._fields))
        plain = head.one("content-transfer-encoding").lower() in PLAIN
        if not plain or head.coding or "multipart/" in head.one("content-type").lower() or head.one("content-range"):
            raise BodyMalformed("A part of the form is encoded, or has parts of its own.")

    def _more(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _end_part(self) -> None:
        self._parts.append(bytes(self._data))

    def _end(self) -> None:
        self._ended = True
