"""What kind of media bytes are, by their content alone: never by a name, a header or what someone declared."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seawall.errors import NotMedia


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of media. `opener` is the name of the one Pillow format that may read it, `demuxer` of the one demuxer
    of libavformat, `container` of the one reader of what holds other files; where all are None, the kind is
    recognised but not decoded here."""

    name: str
    media_type: str
    opener: str | None = None
    demuxer: str | None = None
    container: str | None = None


_JPEG = Kind("JPEG", "image/jpeg", "JPEG")
_PNG = Kind("PNG", "image/png", "PNG")
_GIF = Kind("GIF", "image/gif", "GIF")
_WEBP = Kind("WebP", "image/webp", "WEBP")
_BMP = Kind("BMP", "image/bmp", "BMP")
_TIFF = Kind("TIFF", "image/tiff", "TIFF")
_ICO = Kind("ICO", "image/vnd.microsoft.icon", "ICO")
_AVIF = Kind("AVIF", "image/avif", "AVIF")
_HEIC = Kind("HEIC", "image/heic")
_JXL = Kind("JPEG XL", "image/jxl", "JXL")
_SVG = Kind("SVG", "image/svg+xml", container="svg")
_PDF = Kind("PDF", "application/pdf", container="pdf")
_MP4 = Kind("MP4", "video/mp4", demuxer="mov")
_QUICKTIME = Kind("QuickTime", "video/quicktime", demuxer="mov")
_MATROSKA = Kind("Matroska", "video/matroska", demuxer="matroska")
_WEBM = Kind("WebM", "video/webm", demuxer="matroska")
_ZIP = Kind("ZIP", "application/zip", container="zip")
_TAR = Kind("TAR", "application/x-tar", container="tar")
_MPEG_STREAM = Kind("MPEG transport stream", "video/mpeg", demuxer="mpegts")

# A kind by the bytes that it begins with. None of these begins another one.
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"II*\x00", _TIFF),
    (b"MM\x00*", _TIFF),
    (b"II+\x00", _TIFF),
    (b"MM\x00+", _TIFF),
    (b"\x00\x00\x01\x00", _ICO),
    (b"\x00\x00\x02\x00", Kind("cursor", "image/x-win-bitmap")),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", _JXL),
    (b"\xff\x0a", _JXL),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", Kind("JPEG 2000", "image/jp2")),
    (b"\xff\x4f\xff\x51", Kind("JPEG 2000", "image/jp2")),
    (b"II\xbc", Kind("JPEG XR", "image/jxr")),
    (b"8BPS", Kind("Photoshop", "image/vnd.adobe.photoshop")),
    (b"\x1f\x8b\x08", Kind("gzip", "application/gzip", container="gzip")),
    (b"PK\x03\x04", _ZIP),
    (b"PK\x07\x08PK\x03\x04", _ZIP),
    (b"Rar!\x1a\x07", Kind("RAR", "application/vnd.rar")),
    (b"7z\xbc\xaf\x27\x1c", Kind("7z", "application/x-7z-compressed")),
    (b"FLV\x01", Kind("Flash video", "video/x-flv", demuxer="flv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("Windows Media", "video/x-ms-asf", demuxer="asf")),
    (b"OggS", Kind("Ogg", "video/ogg", demuxer="ogg")),
    (b"\x00\x00\x01\xba", Kind("MPEG", "video/mpeg", demuxer="mpeg")),
    (b"\x00\x00\x01\xb3", Kind("MPEG", "video/mpeg", demuxer="mpegvideo")),
)
_RIFF = {b"WEBP": _WEBP, b"AVI ": Kind("AVI", "video/x-msvideo", demuxer="avi")}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Boxes that a QuickTime film may begin with instead of `ftyp`.
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"skip", b"pnot"})
_SVG_ELEMENT = re.compile(rb"<(?:[\w.-]{1,64}:)?svg[\s/>]")
# What XML allows before the first element, by its beginning and end.
_BEFORE_FIRST_ELEMENT = ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!DOCTYPE", b">"))
_TEXT_LOOKED_AT = 16 * 1024
# No kind needs more of a file's beginning to be told.
LOOKED_AT = 32 * 1024
# The record that ends a ZIP, and the longest comment that may follow it (APPNOTE 4.3.16).
_ENDING, _LONGEST_COMMENT = b"PK\x05\x06", 65_535
_TRANSPORT_PACKET = 188
# Less is no JPEG.
_LEAST_PICTURE = 100
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_LOWEST_SEGMENT, _START_OF_SCAN, _NO_SEGMENTS = 0xC0, 0xDA, frozenset({*range(0xD0, 0xDA), 0xFF})


def _bmp(data: bytes) -> bool:
    """BM, and a header size that a BMP may have: two letters alone begin too much that is text."""
    return data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in {12, 16, 40, 52, 56, 64, 108, 124}


def _base_media(data: bytes) -> Kind | None:
    """The kinds that are a row of boxes, told apart by the brands in the first."""
    box = data[4:8]
    if box in _QUICKTIME_BOXES and data[0] < 0x20:  # a size, not a letter of a text
        return _QUICKTIME
    if box != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4], "big"), 4096)
    brands = {data[at : at + 4] for at in (8, *range(16, max(size, 20) - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return _AVIF
    if brands & _HEIC_BRANDS:
        return _HEIC
    return _QUICKTIME if data[8:12] == b"qt  " else _MP4


def _first_element(text: bytes) -> bytes:
    """The text from its first element on, or nothing."""
    rest = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    while rest:
        end = next((end for begin, end in _BEFORE_FIRST_ELEMENT if rest.startswith(begin)), None)
        if end is None:
            return rest
        opening, closing = rest.find(b"["), rest.find(end)
        if end == b">" and 0 <= opening < closing:  # a DOCTYPE with definitions of its own
            closing = rest.find(end, rest.find(b"]", opening))
        if closing < 0:
            return b""
        rest = rest[closing + len(end) :].lstrip()
    return b""


def _in_text(data: bytes) -> Kind | None:
    """SVG, or a PDF that begins late as its readers allow."""
    head = data[:_TEXT_LOOKED_AT]
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        head = head.replace(b"\x00", b"")[2:]
    if _SVG_ELEMENT.match(_first_element(head)):
        return _SVG
    return _PDF if b"%PDF-" in data[:1024] else None


def begins_a_box(data: bytes) -> bool:
    """Whether a film, or a picture that is a row of boxes, begins here: `ftyp` alone is a word."""
    size, brand = int.from_bytes(data[:4]), data[8:12]
    return size % 4 == 0 and 16 <= size <= 4096 and brand.isascii() and _base_media(data) is not None


def begins_a_jpeg(data: bytes) -> bool:
    """Whether a whole JPEG begins here: segments one behind another, up to a frame and its scan (ITU-T T.81, B.2)."""
    at, framed = 2, False
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return framed
        if marker < _LOWEST_SEGMENT or marker in _NO_SEGMENTS:
            return False
        framed = framed or marker in _START_OF_FRAME
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return at > len(data) - 4 > _LEAST_PICTURE


def ends_as_an_archive(data: bytes) -> bool:
    """Whether a ZIP ends here, whatever stands before it: programs that open a ZIP look for its end first."""
    at = data.rfind(_ENDING, max(0, len(data) - _LONGEST_COMMENT - 22))
    return at >= 0 and data.rfind(b"PK\x01\x02", 0, at) >= 0


def sniff(data: bytes) -> Kind:
    """The kind of the bytes.

    Raises:
        NotMedia: they are no picture or video, and nothing of any kind known here that can hold one.
    """
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    if _bmp(data):
        return _BMP
    if data.startswith(b"\x1aE\xdf\xa3"):
        return _WEBM if b"webm" in data[:64] else _MATROSKA
    if data[:1] == b"G" and data[_TRANSPORT_PACKET::_TRANSPORT_PACKET][:3] == b"GGG":
        return _MPEG_STREAM
    if kind_of_boxes := _base_media(data):
        return kind_of_boxes
    if kind_of_text := _in_text(data):
        return kind_of_text
    if data[257:262] == b"ustar":
        return _TAR
    if ends_as_an_archive(data):
        return _ZIP
    raise NotMedia("These bytes are no picture or video.")
