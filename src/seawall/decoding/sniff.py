"""What kind of media bytes are, by their content alone: never by a name, a header or what someone declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.decoding.markup import may_be_drawing
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
_HEIC = Kind("HEIC", "image/heic", "HEIC")
_JXL = Kind("JPEG XL", "image/jxl", "JXL")
_SVG = Kind("SVG", "image/svg+xml", container="svg")
_PDF = Kind("PDF", "application/pdf", container="pdf")
_MP4 = Kind("MP4", "video/mp4", demuxer="mov")
_QUICKTIME = Kind("QuickTime", "video/quicktime", demuxer="mov")
_MATROSKA = Kind("Matroska", "video/matroska", demuxer="matroska")
_WEBM = Kind("WebM", "video/webm", demuxer="matroska")
_AVI = Kind("AVI", "video/x-msvideo", demuxer="avi")
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
    (b"gimp xcf ", Kind("GIMP", "image/x-xcf")),
    (b"icns\x00", Kind("Apple icon", "image/icns")),
    (b"v/1\x01", Kind("OpenEXR", "image/x-exr")),
    (b"#?RADIANCE\n", Kind("Radiance", "image/vnd.radiance")),
    (b"qoif\x00", Kind("QOI", "image/qoi")),
    (b"BPG\xfb", Kind("BPG", "image/bpg")),
    (b"DDS \x7c\x00\x00\x00", Kind("DirectDraw", "image/vnd-ms.dds")),
    (b"AT&TFORM", Kind("DjVu", "image/vnd.djvu")),
    (b"\xd7\xcd\xc6\x9a", Kind("Windows Metafile", "image/wmf")),
    (b"%!PS", Kind("PostScript", "application/postscript")),
    (b"\xc5\xd0\xd3\xc6", Kind("PostScript", "application/postscript")),
    (b"\x1f\x8b\x08", Kind("gzip", "application/gzip", container="gzip")),
    (b"BZh", Kind("bzip2", "application/x-bzip2")),
    (b"\xfd7zXZ\x00", Kind("xz", "application/x-xz")),
    (b"\x28\xb5\x2f\xfd", Kind("Zstandard", "application/zstd")),
    (b"\x04\x22\x4d\x18", Kind("LZ4", "application/x-lz4")),
    (b"PK\x03\x04", _ZIP),
    (b"PK\x07\x08PK\x03\x04", _ZIP),
    (b"Rar!\x1a\x07", Kind("RAR", "application/vnd.rar")),
    (b"7z\xbc\xaf\x27\x1c", Kind("7z", "application/x-7z-compressed")),
    (b"FLV\x01", Kind("Flash video", "video/x-flv", demuxer="flv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("Windows Media", "video/x-ms-asf", demuxer="asf")),
    (b"OggS", Kind("Ogg", "video/ogg", demuxer="ogg")),
    (b"\x00\x00\x01\xba", Kind("MPEG", "video/mpeg", demuxer="mpeg")),
    (b"\x00\x00\x01\xb3", Kind("MPEG", "video/mpeg", demuxer="mpegvideo")),
    (b".RMF\x00", Kind("RealMedia", "application/vnd.rn-realmedia")),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", Kind("MXF", "application/mxf")),
    (b"\xb7\xd8\x00\x20\x37\x49\xda\x11", Kind("Windows TV", "video/x-ms-wtv")),
    (b"DKIF\x00\x00", Kind("IVF", "video/x-ivf")),
    (b"YUV4MPEG2 ", Kind("YUV4MPEG2", "video/x-yuv4mpeg")),
    (b"ON2 ", _AVI),
)
_RIFF = {
    b"WEBP": _WEBP,
    b"AVI ": _AVI,
    b"AVI\x19": _AVI,
    b"AVIX": _AVI,
    b"AMV ": _AVI,
    b"CDXA": Kind("Video CD", "video/mpeg"),
    b"ACON": Kind("animated cursor", "image/x-win-bitmap"),
}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Boxes that a film may begin with, as players read them; `ftyp` may follow behind some of them.
_FIRST_BOXES = frozenset(
    b"moov mdat moof wide skip free junk pnot pict udta uuid styp sidx ssix emsg prft ediw prfl".split()
)
_MOST_FIRST_BOXES = 64
# A packet: its synchronisation byte, and a header that does not say "reserved" (ISO/IEC 13818-1, 2.4.3.3). They come
# one behind another, with nothing, a time stamp (M2TS) or a checksum in between, wherever the stream begins.
_HEADER = rb"G(?:..[\x10-\x3f\x50-\x7f\x90-\xbf\xd0-\xff]|[\x1f\x3f\x5f\x7f\x9f\xbf\xdf\xff]\xff.)"
_TRANSPORT_STREAM = re.compile(
    b"|".join(b"(?:%b.{%d}){3}%b" % (_HEADER, more, _HEADER) for more in (184, 188, 200)), re.DOTALL
)
# No kind needs more of a file's beginning to be told.
LOOKED_AT = 32 * 1024
# The record that ends a ZIP, and the longest comment that may follow it (APPNOTE 4.3.16).
_ENDING, _LONGEST_COMMENT = b"PK\x05\x06", 65_535
# Less is no JPEG.
_LEAST_PICTURE = 100
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_LOWEST_SEGMENT, _START_OF_SCAN, _NO_SEGMENTS = 0xC0, 0xDA, frozenset({*range(0xD0, 0xDA), 0xFF})


def _bmp(data: bytes) -> bool:
    """BM, and a header size that a BMP may have: two letters alone begin too much that is text."""
    return data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in {12, 16, 40, 52, 56, 64, 108, 124}


def _first_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, beginning and end of the content of each of the first boxes whose header is there."""
    at = 0
    for _ in range(_MOST_FIRST_BOXES):
        head = data[at : at + 16]
        if len(head) < 8:
            return
        size, content = int.from_bytes(head[:4]), at + 8
        if size == 1:  # the size stands behind the type, in 64 bits
            size, content = int.from_bytes(head[8:16]), at + 16
        yield head[4:8], content, max(at + size, content + 12)
        if at + size < content:
            return
        at += size


def _base_media(data: bytes) -> Kind | None:
    """The kinds that are a row of boxes, told apart by the brands in `ftyp`, which players do not ask to be first."""
    begins_as_film = data[4:8] in _FIRST_BOXES and data[:1] < b"\x20"  # a size, not a letter of a text
    if not begins_as_film and data[4:8] != b"ftyp":
        return None
    for box, content, end in _first_boxes(data):
        if box == b"ftyp":
            return _branded(data[content : min(end, content + 4096)])
    return _QUICKTIME


def _branded(brands: bytes) -> Kind:
    """By what stands in `ftyp`: the major brand, its version, and the brands that it is compatible with."""
    named = {brands[at : at + 4] for at in (0, *range(8, len(brands) - 3, 4))}
    if named & {b"avif", b"avis"}:
        return _AVIF
    if named & _HEIC_BRANDS:
        return _HEIC
    return _QUICKTIME if brands[:4] == b"qt  " else _MP4


def _in_text(data: bytes) -> Kind | None:
    """SVG, or a PDF that begins late as its readers allow."""
    if may_be_drawing(data, LOOKED_AT):
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
    if kind_of_boxes := _base_media(data):
        return kind_of_boxes
    if _TRANSPORT_STREAM.search(data, 0, LOOKED_AT):
        return _MPEG_STREAM
    if kind_of_text := _in_text(data):
        return kind_of_text
    if data[257:262] == b"ustar":
        return _TAR
    if ends_as_an_archive(data):
        return _ZIP
    raise NotMedia("These bytes are no picture or video.")
