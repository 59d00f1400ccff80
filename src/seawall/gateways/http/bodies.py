"""Reading bodies: streamed into memory with a hard limit, never to disk, where they would lie unsealed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from seawall.errors import BadInput, BodyEmpty, BodyMalformed, BodyTooLarge
from seawall.gateways.http.ballast import Take

# What a multipart body may hold besides the file: fields and the parts' headers.
ROOM_FOR_FIELDS = 64 * 1024
MOST_FIELDS = 16
FILE = "file"


@dataclass(slots=True)
class Upload:
    """What a request brought. `pairs` are names and values in the order in which they came."""

    body: bytes
    pairs: list[tuple[str, str]] = field(default_factory=list)
    media_type: str | None = None


async def read_upload(request: Request, limit: int, take: Take) -> Upload:
    """The file of a request and the fields beside it, from a raw body or from multipart/form-data.

    Args:
        limit: bytes that the file may have.
        take: is asked for room for each chunk before it is kept.

    Raises:
        Overloaded: there is no room now.
        BodyTooLarge: it has more; what is over was not read into memory.
        BodyMalformed: the multipart is broken, or the body is compressed.
        BodyEmpty: the file has no byte.
    """
    _refuse_encoded(request)
    declared = request.headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        upload = await _read_multipart(request, declared, limit, take)
    else:
        upload = Upload(await read_body(request, limit, take), media_type=declared_media_type(kind))
    if not upload.body:
        raise BodyEmpty("The upload has no byte.")
    return upload


async def read_body(request: Request, limit: int, take: Take) -> bytes:
    """The whole body.

    Raises:
        Overloaded: there is no room now.
        BodyTooLarge: it has more bytes than the limit.
    """
    body = bytearray()
    async for chunk in _limited(request, limit, limit, take):
        body += chunk
    return bytes(body)


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """The query's names and values, decoded strictly.

    Raises:
        BadInput: it is no UTF-8, or has more parameters than there are fields.
    """
    try:
        query = request.scope.get("query_string", b"").decode("utf-8")
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadInput(
            "The query cannot be read.",
            hint="Write parameters as name=value, percent-encoded UTF-8, each once.",
        ) from None


def once_each(pairs: list[tuple[str, str]]) -> dict[str, object]:
    """Names and values as a mapping.

    Raises:
        BadInput: a name is there twice; nobody could tell which value was meant.
    """
    given: dict[str, object] = {}
    for name, value in pairs:
        if name in given:
            raise BadInput(f"The field {name[:40]!r} was sent twice.", hint="Send each field once.")
        given[name] = value
    return given


async def _limited(request: Request, limit: int, allowed: int, take: Take) -> AsyncIterator[bytes]:
    """The body in chunks, as long as it keeps to what is allowed. `limit` is what the message speaks of."""
    too_large = f"The upload has more than {limit} bytes."
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > allowed:
        raise BodyTooLarge(too_large)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > allowed:
            raise BodyTooLarge(too_large)
        take(len(chunk))
        yield chunk


async def _read_multipart(request: Request, declared: str, limit: int, take: Take) -> Upload:
    kind, options = parse_options_header(declared)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise BodyMalformed("The body is no multipart/form-data with a boundary.")
    parts = _Parts(limit)
    try:
        parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]
        async for chunk in _limited(request, limit, limit + ROOM_FOR_FIELDS, take):
            parser.write(chunk)
        parser.finalize()
    except FormParserError:
        raise BodyMalformed("The multipart body is broken.") from None
    return parts.upload()


class _Parts:
    """Collects the parts of one multipart body. The file is the part that is named `file` or has a file's name."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pairs: list[tuple[str, str]] = []
        self._file: tuple[bytes, str | None, str | None] | None = None
        self._headers: dict[str, str] = {}
        self._header_name = b""
        self._header_value = b""
        self._data = bytearray()
        self._is_file = False
        self._name = ""
        self._filename: str | None = None
        self._parts = 0
        self._ended = False

    def callbacks(self) -> dict[str, object]:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._more_name,
            "on_header_value": self._more_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._more_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def upload(self) -> Upload:
        """What came.

        Raises:
            BodyMalformed: the body ends before its closing boundary.
            BadInput: there is no file.
        """
        if not self._ended:
            raise BodyMalformed("The multipart body ends before its closing boundary.")
        if self._file is None:
            raise BadInput("There is no file.", hint=f"Send the bytes as a part named {FILE}.")
        body, filename, media_type = self._file
        pairs = self._pairs
        if filename and all(name != "filename" for name, _ in pairs):
            pairs = [*pairs, ("filename", filename)]
        return Upload(body, pairs, media_type)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_FIELDS:
            raise BadInput(f"The multipart body has more than {MOST_FIELDS} parts.")
        self._headers, self._data = {}, bytearray()

    def _more_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _more_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        if len(self._header_name) + len(self._header_value) > ROOM_FOR_FIELDS:
            raise BodyMalformed("A part's header is too long.")

    def _end_header(self) -> None:
        name = self._header_name.decode("latin-1").lower()
        self._headers[name] = self._header_value.decode("latin-1")
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition", ""))
        if kind != b"form-data" or b"name" not in options:
            raise BodyMalformed("A part has no name.")
        if self._headers.get("content-transfer-encoding", "binary").strip().lower() not in (
            "binary",
            "8bit",
            "7bit",
        ):
            raise BodyMalformed("A part is encoded; send its bytes as they are.")
        self._name = _utf8(options[b"name"], "A part's name")
        self._filename = _utf8(options[b"filename"], "filename") if b"filename" in options else None
        self._is_file = self._name == FILE or self._filename is not None

    def _more_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if self._is_file and len(self._data) > self._limit:
            raise BodyTooLarge(f"The upload has more than {self._limit} bytes.")
        if not self._is_file and len(self._data) > ROOM_FOR_FIELDS:
            raise BadInput(f"{self._name[:40]} is far too long.", hint=f"Send the bytes as a part named {FILE}.")

    def _end_part(self) -> None:
        if not self._is_file:
            self._pairs.append((self._name, _utf8(bytes(self._data), self._name[:40])))
        elif self._file is not None:
            raise BadInput("There are two files.", hint="Send one file a request.")
        else:
            declared = self._headers.get("content-type", "").partition(";")[0].strip().lower()
            self._file = bytes(self._data), self._filename, declared_media_type(declared)
        self._data = bytearray()

    def _end(self) -> None:
        self._ended = True


def _utf8(value: bytes, name: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{name} is no UTF-8.") from None


def declared_media_type(kind: str) -> str | None:
    """What the client says that it is, if it says anything; what it really is is found out by looking."""
    plain = kind.isascii() and kind.isprintable() and len(kind) <= 128
    vague = kind in ("", "application/octet-stream", "application/x-www-form-urlencoded")
    return kind if plain and not vague else None


def _refuse_encoded(request: Request) -> None:
    """Compressed bytes would be taken for what they are not, and a listed picture for no media."""
    said = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    if any(coding.strip() not in ("", "identity") for coding in said):
        raise BodyMalformed(
            "The body is compressed (Content-Encoding).", hint="Send the bytes as they were uploaded."
        )
