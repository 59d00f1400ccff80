"""Where a picture ends, and what its file keeps beside the pixels: metadata, thumbnails, what was put behind the end.

Only the frame of each format is walked, never the compressed pixels, so that a plain picture costs next to nothing.
Sources: ITU-T T.81 (JPEG) annex B, the PNG specification 5.3, the GIF89a specification, RFC 9649 (WebP), and the
Windows bitmap headers as Microsoft documents them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.decoding.sniff import Kind

Range = tuple[int, int]
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_PIXEL_CHUNKS = frozenset({b"IDAT", b"fdAT"})
_WEBP_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANMF"})


@dataclass(frozen=True, slots=True)
class Outline:
    """The parts of a file that are no pixels, and where the picture ends; at most the length of the file."""

    beside: tuple[Range, ...]
    end: int


def outline(data: bytes, kind: Kind) -> Outline | None:
    """The outline of a file of this kind; None where a format does not say where it ends.

    A file that breaks off has its end where it breaks off: damage is for the decoder to find.
    """
    walk = {
        "JPEG": _jpeg,
        "PNG": _png,
        "GIF": _gif,
        "WEBP": _webp,
        "BMP": _bmp,
        "ICO": _icon,
        "AVIF": _boxes,
        "HEIC": _boxes,
        "mov": _boxes,
        "zip": _archive,
        "pdf": _paged,
    }.get(kind.opener or kind.demuxer or kind.container or "")
    if walk is None:
        return None
    found = walk(data)
    return Outline(found.beside, min(found.end, len(data)))


def _jpeg(data: bytes) -> Outline:
    """Segments up to the end marker; the scans between them are passed over."""
    beside: list[Range] = []
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at = _next_marker(data, at)
            continue
        marker = data[at + 1]
        if marker == _END_OF_IMAGE:
            return Outline(tuple(beside), at + 2)
        if marker == 0xFF or marker in _NO_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == _START_OF_SCAN:
            at = _next_marker(data, end)
            continue
        beside.append((at + 4, min(end, len(data))))
        at = end
    closed = data[at : at + 2] == b"\xff\xd9"
    return Outline(tuple(beside), at + 2 if closed else len(data))


def _next_marker(data: bytes, at: int) -> int:
    """The next marker in or behind a scan that is more than a part of it: no stuffed zero, no restart."""
    found = _MARKER.search(data, at)
    return found.start() if found else len(data)


def _png(data: bytes) -> Outline:
    beside: list[Range] = []
    at = 8
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name == b"IEND":
            return Outline(tuple(beside), at + 12 + length)
        if name not in _PIXEL_CHUNKS and length:
            beside.append((at + 8, min(at + 8 + length, len(data))))
        at += 12 + length
    return Outline(tuple(beside), len(data))


def _gif(data: bytes) -> Outline:
    beside: list[Range] = []
    at = 13 + _colours(data[10]) if len(data) > 10 else len(data)
    while at < len(data):
        match data[at : at + 1]:
            case b";":
                return Outline(tuple(beside), at + 1)
            case b"!":
                end = _behind_blocks(data, at + 2)
                beside.append((at + 2, end))
            case b"," if at + 9 < len(data):
                end = _behind_blocks(data, at + 11 + _colours(data[at + 9]))
            case b"\x00":  # some writers leave one more between blocks
                end = at + 1
            case _:
                break
        at = end
    return Outline(tuple(beside), len(data))


def _colours(flags: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _behind_blocks(data: bytes, at: int) -> int:
    """Where a row of sub-blocks ends."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))


def _webp(data: bytes) -> Outline:
    size = int.from_bytes(data[4:8], "little")
    end = 8 + size + (size & 1)
    return Outline(tuple(_chunks(data, min(end, len(data)))), end)


def _chunks(data: bytes, end: int) -> Iterator[Range]:
    at = 12
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] not in _WEBP_PIXELS:
            yield at + 8, min(at + 8 + length, end)
        at += 8 + length + (length & 1)


def _bmp(data: bytes) -> Outline:
    """The end by the size of the pixels. The size in the file's header is one that no reader minds."""
    pixels_at, header = int.from_bytes(data[10:14], "little"), int.from_bytes(data[14:18], "little")
    if header < 40:
        width, height = (int.from_bytes(data[at : at + 2], "little", signed=True) for at in (18, 20))
        bits, compression, size = int.from_bytes(data[24:26], "little"), 0, 0
    else:
        width, height = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
        bits, compression = int.from_bytes(data[28:30], "little"), int.from_bytes(data[30:34], "little")
        size = int.from_bytes(data[34:38], "little")
    if compression in {0, 3, 6}:
        size = (abs(width) * bits + 31) // 32 * 4 * abs(height)
    if not size:
        return Outline((), len(data))
    headers_end = 14 + header
    gap = ((headers_end, min(pixels_at, len(data))),) if headers_end < pixels_at else ()
    return Outline(gap, pixels_at + size)


def _icon(data: bytes) -> Outline:
    """Behind the last of its pictures. All of them are read as the icon's own."""
    end = 6
    for at in range(6, 6 + 16 * int.from_bytes(data[4:6], "little"), 16):
        if at + 16 > len(data):
            return Outline((), len(data))
        size, start = (int.from_bytes(data[at + place : at + place + 4], "little") for place in (8, 12))
        end = max(end, at + 16, start + size)
    return Outline((), end)


def _boxes(data: bytes) -> Outline:
    """A row of boxes (ISO/IEC 14496-12): ends where something follows that is none."""
    at = 0
    beside: list[Range] = []
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size == 0:
            return Outline(tuple(beside), len(data))
        if size < 8 or not name.isalnum() or not name.isascii():
            break
        if name == b"ftyp" and at:
            break  # another file
        if name in {b"free", b"skip", b"uuid"}:
            beside.append((at + 8, min(at + size, len(data))))
        at += size
    return Outline(tuple(beside), at)


def _archive(data: bytes) -> Outline:
    """Behind the record that ends a ZIP, and its comment (APPNOTE 4.3.16)."""
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(data):
        return Outline((), len(data))
    return Outline((), at + 22 + int.from_bytes(data[at + 20 : at + 22], "little"))


def _paged(data: bytes) -> Outline:
    """Behind the last of a PDF's end marks: each change that is saved adds one."""
    at = data.rfind(b"%%EOF")
    return Outline((), at + 5 if at >= 0 else len(data))
