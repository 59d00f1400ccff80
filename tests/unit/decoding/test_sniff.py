"""Sniffing: the content decides, and nothing is taken for media that is not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.decoding.sniff import sniff
from seawall.errors import NotMedia
from tests.vectors.files import archive_files, mutable_files

JXL = {"jxl": b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl-bare": b"\xff\x0a\x00\x00"}
# Synchronisation, the stream's first packet of a program table, its content.
PACKET = b"G\x40\x00\x10" + bytes(184)
FIRST_BOXES = b"".join(
    b"\x00\x00\x00\x09" + name + b"x" for name in b"free skip wide junk udta uuid styp sidx moof emsg pict".split()
)
DECODED = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "apng": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "ico": "image/vnd.microsoft.icon",
    "avif": "image/avif",
}
HEIC = {
    "plain": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1",
    "ftyp of 64 bits": b"\x00\x00\x00\x01ftyp" + bytes(7) + b"\x20heic\x00\x00\x00\x00mif1",
}
RECOGNISED = {
    "mp4": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41", "video/mp4"),
    "mov": (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", "video/quicktime"),
    "old-mov": (b"\x00\x00\x10\x00moov\x00\x00\x00\x6cmvhd", "video/quicktime"),
    "webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\x82\x84webm", "video/webm"),
    "mkv": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "video/matroska"),
    "avi": (b"RIFF\x00\x10\x00\x00AVI LIST", "video/x-msvideo"),
    "mpeg-ts": (PACKET * 5, "video/mpeg"),
    "m2ts": ((bytes(4) + PACKET) * 5, "video/mpeg"),
    "mpeg-ts with checksums": ((PACKET + bytes(16)) * 5, "video/mpeg"),
    "mpeg-ts late": (b"x" * 20_000 + PACKET * 5, "video/mpeg"),
    "mpeg-ts of empty packets": ((b"G\x1f\xff\x00" + bytes(184)) * 5, "video/mpeg"),
    "ftyp behind other boxes": (FIRST_BOXES + b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom", "video/mp4"),
    "ftyp behind a long box": (b"\x00\x02\x00\x00free" + bytes(0x1FFF8) + b"\x00\x00\x00\x14ftypisom", "video/mp4"),
    "a box behind the end": (b"\x00\x02\x00\x00free" + bytes(100), "video/quicktime"),
    "bzip2": (b"BZh91AY&SY", "application/x-bzip2"),
    "xz": (b"\xfd7zXZ\x00\x00\x04", "application/x-xz"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04", "application/zstd"),
    "lz4": (b"\x04\x22\x4d\x18\x64", "application/x-lz4"),
    "real": (b".RMF\x00\x00\x00\x12", "application/vnd.rn-realmedia"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0", "application/postscript"),
    "jp2": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    "rar": (b"Rar!\x1a\x07\x01\x00", "application/vnd.rar"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed"),
}
HOLDING = {
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
    "svg-dressed": (
        b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE svg [<!ENTITY a "b">]>\n<svg:svg>',
        "image/svg+xml",
    ),
    "svg behind much": (b"<!--" + b"x" * 40_000 + b"--><svg>", "image/svg+xml"),
    "svg behind nothing": (b" " * 40_000 + b"<svg>", "image/svg+xml"),
    "svg behind more than is looked at": (b"<!--" + b"x" * 40_000, "image/svg+xml"),
    "svg behind many": (b"<!-- -->" * 20_000 + b"<svg>", "image/svg+xml"),
    "svg with misleading definitions": (b'<!DOCTYPE svg [<!ENTITY a "]>">]><svg>', "image/svg+xml"),
    "svg with a comment of one quote": (b"<!DOCTYPE svg [<!-- it's -->]><svg>", "image/svg+xml"),
    "svg-utf-16 without a mark": ('<?xml version="1.0"?><svg>'.encode("utf-16-le"), "image/svg+xml"),
    "svg-utf-16 without a mark, turned": ('<?xml version="1.0"?><svg>'.encode("utf-16-be"), "image/svg+xml"),
    "svg-utf-16": ('<?xml version="1.0"?><svg>'.encode("utf-16"), "image/svg+xml"),
    "pdf": (b"%PDF-1.7\n", "application/pdf"),
    "late-pdf": (b"\n" * 500 + b"%PDF-1.7\n", "application/pdf"),
}
NO_MEDIA = {
    "empty": b"",
    "one byte": b"\xff",
    "text": b"A harmless text about the sea.",
    "html": b"<!DOCTYPE html><html><body>a <svg> inside</body></html>",
    "html naming PDF late": b"<html>" + b" " * 2000 + b"%PDF-1.7",
    "bmw": b"BMW and other cars, in a text that is longer than a header of a picture.",
    "an empty zip": b"PK\x05\x06" + bytes(18),
    "executable": b"\x7fELF\x02\x01\x01",
    "json": b'{"svg": "<svg"}',
    "wave": b"RIFF\x00\x10\x00\x00WAVEfmt ",
    "zeros": bytes(5000),
    "G": b"GGGGGGGG",
    "many G": b"G" * 5000,
    "a comment that does not end": b"<!-- a text",
    "blanks": b" " * 1000,
    "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "a text on freedom": b"The free boxes",
}


@pytest.mark.parametrize(("name", "data"), mutable_files().items(), ids=mutable_files())
def test_decoded_kinds(name: str, data: bytes) -> None:
    kind = sniff(data)
    assert kind.media_type == DECODED.get(name, DECODED.get(name.split("-", maxsplit=1)[0]))
    assert kind.opener is not None


@pytest.mark.parametrize(("data", "media_type"), RECOGNISED.values(), ids=RECOGNISED)
def test_recognised_but_not_decoded(data: bytes, media_type: str) -> None:
    kind = sniff(data)
    assert kind.media_type == media_type
    assert kind.opener is None


@pytest.mark.parametrize("data", JXL.values(), ids=JXL)
def test_jpeg_xl(data: bytes) -> None:
    assert (sniff(data).media_type, sniff(data).opener) == ("image/jxl", "JXL")


@pytest.mark.parametrize("data", HEIC.values(), ids=HEIC)
def test_heic(data: bytes) -> None:
    assert (sniff(data).media_type, sniff(data).opener) == ("image/heic", "HEIC")


@pytest.mark.parametrize(("name", "data"), archive_files().items(), ids=archive_files())
def test_containers(name: str, data: bytes) -> None:
    kinds = {"zip": "application/zip", "tar": "application/x-tar", "tar-gzip": "application/gzip"}
    kind = sniff(data)
    assert kind.media_type == kinds.get(name, kinds["zip"])
    assert kind.container is not None
    assert (kind.opener, kind.demuxer) == (None, None)


@pytest.mark.parametrize(("data", "media_type"), HOLDING.values(), ids=HOLDING)
def test_documents_and_drawings(data: bytes, media_type: str) -> None:
    kind = sniff(data)
    assert kind.media_type == media_type
    assert kind.container is not None


@pytest.mark.parametrize("data", NO_MEDIA.values(), ids=NO_MEDIA)
def test_no_media(data: bytes) -> None:
    with pytest.raises(NotMedia):
        sniff(data)


@given(st.binary(max_size=300))
def test_any_bytes_have_a_kind_or_none(data: bytes) -> None:
    with contextlib.suppress(NotMedia):
        assert sniff(data).media_type


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", [b"<!--", b"<?x", b"<!DOCTYPE a [", b"<!-- -->", b" ", b"<!DOCTYPE ", b"\x00\x00\x00\x08free", b"GTTTT"]
)
def test_hostile_bytes_are_looked_at_quickly(piece: bytes) -> None:
    with contextlib.suppress(NotMedia):
        assert sniff(piece * 1_000_000).media_type
