"""Picture files of every kind, made from generated pictures."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

from tests.vectors import pictures


def scene(seed: int = 5, height: int = 240, width: int = 320) -> Image.Image:
    """A generated colour picture whose eight turns all differ."""
    return Image.fromarray(pictures.make("shapes", seed, height, width))


def written(picture: Image.Image, opener: str, **options: object) -> bytes:
    """The picture as a file of that format."""
    target = io.BytesIO()
    picture.save(target, opener, **options)
    return target.getvalue()


def animation(opener: str, frames: int = 3, **options: object) -> bytes:
    """Different scenes, one after another."""
    scenes = [scene(seed, 120, 160) for seed in range(frames)]
    if opener == "GIF":
        scenes = [one.quantize(64) for one in scenes]
    return written(scenes[0], opener, save_all=True, append_images=scenes[1:], duration=100, **options)


def png_chunk(name: bytes, content: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_header(width: int, height: int) -> bytes:
    """Signature and header of an RGB PNG."""
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def with_png_chunk(data: bytes, name: bytes, content: bytes) -> bytes:
    """The PNG with one chunk more, right after its header."""
    return data[:33] + png_chunk(name, content) + data[33:]


def slow_gif(side: int = 4000, frames: int = 150) -> bytes:
    """A small and valid GIF that takes minutes: every frame is full size and differs from the last."""
    first = Image.new("P", (side, side), 0)
    first.putpalette([0, 0, 0, 255, 255, 255])
    data = written(first, "GIF")
    start = data.index(b",", 13 + 3 * (2 << (data[10] & 7)))
    return data[:start] + data[start:-1] * frames + b";"


def exif_with(thumbnail: bytes, orientation: int = 1) -> bytes:
    """EXIF with an orientation and, in its second directory, a thumbnail (Exif 2.32, 4.6.3 and 4.5.5)."""
    first = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 26)
    at = 26 + 2 + 2 * 12 + 4
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, at, 0x0202, 4, 1, len(thumbnail), 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + first + second + thumbnail


def tiff_with_picture_under_its_page(page: Image.Image, under: Image.Image) -> bytes:
    """A TIFF of one page; the other picture hangs under it (tag 330), in no chain."""
    above, below = written(page, "TIFF"), written(under, "TIFF")
    joined = bytearray(above + below)
    entries_above, _ = _entries(joined, 0)
    entries_below, directory = _entries(joined, len(above))
    for at in entries_below:
        tag, kind, count, value = struct.unpack_from("<HHII", joined, at)
        if tag == 273 or {3: 2, 4: 4, 5: 8}.get(kind, 1) * count > 4:
            struct.pack_into("<I", joined, at + 8, value + len(above))
    pointer = struct.pack("<HHII", 330, 4, 1, directory)
    entries = sorted(
        [pointer, *(bytes(joined[at : at + 12]) for at in entries_above)], key=lambda entry: entry[1::-1]
    )
    struct.pack_into("<I", joined, 4, len(joined))
    return bytes(joined) + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def _entries(data: bytearray, start: int) -> tuple[range, int]:
    """Where the entries of the first directory of a TIFF that begins there lie, and the directory."""
    directory = start + int(struct.unpack_from("<I", data, start + 4)[0])
    (number,) = struct.unpack_from("<H", data, directory)
    return range(directory + 2, directory + 2 + 12 * number, 12), directory


def zipped(members: Mapping[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, packing)
    return target.getvalue()


def taped(members: Mapping[str, bytes]) -> bytes:
    """A TAR of these files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tape:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tape.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def archive_files() -> dict[str, bytes]:
    """Small archives of every kind with pictures in them, by name."""
    pictures = {"a.png": written(scene(7, 60, 80), "PNG"), "b.jpg": written(scene(8, 60, 80), "JPEG")}
    return {
        "zip": zipped(pictures | {"note.txt": b"The sea is calm. " * 20}),
        "zip-stored": zipped(pictures, zipfile.ZIP_STORED),
        "zip-bzip2": zipped(pictures, zipfile.ZIP_BZIP2),
        "zip-lzma": zipped(pictures, zipfile.ZIP_LZMA),
        "zip-nested": zipped({"in.zip": zipped(pictures), "c.gif": animation("GIF", 2)}),
        "tar": taped(pictures),
        "tar-gzip": gzip.compress(taped(pictures), mtime=0),
    }


def paged(*pages: Image.Image) -> bytes:
    """A PDF with a picture on each page."""
    return written(pages[0], "PDF", save_all=True, append_images=pages[1:])


def pdf_of(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    body, places = b"%PDF-1.7\n", list[int]()
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, len(body))
    return body + table + end


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A PDF's stream object."""
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(content), content)


def page_with(content: bytes, *resources: bytes, box: bytes = b"0 0 320 240", trailer: bytes = b"") -> bytes:
    """A PDF of one page with this content; the resources are its pictures X5, X6 and so on, as objects."""
    named = b"".join(b"/X%d %d 0 R" % (number, number) for number in range(5, 5 + len(resources)))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents 4 0 R/Resources<</XObject<<%b>>>>>>" % (box, named)
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", pages, page, stream(content), *resources, trailer=trailer)


def drawing(inside: str, attributes: str = 'viewBox="0 0 320 240"') -> bytes:
    """An SVG with this inside."""
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {names} {attributes}>{inside}</svg>".encode()


def embedded(data: bytes, media_type: str = "image/png") -> str:
    """The data as an address that holds them."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def document_files() -> dict[str, bytes]:
    """Small documents and drawings, by name."""
    small, other = scene(7, 60, 80), scene(8, 60, 80)
    return {
        "pdf": paged(small, other.quantize(32)),
        "pdf-drawn": page_with(b"0.9 0.1 0.2 rg 20 20 100 60 re f 0 0 1 rg 50 100 m 200 200 l 250 30 l f"),
        "svg": drawing(f'<image width="80" height="60" href="{embedded(written(small, "PNG"))}"/>'),
        "svg-drawn": drawing('<g id="a"><path d="M5 5L60 90L90 20Z" fill="#a31"/></g><use href="#a" x="90"/>'),
    }


def carrying_files() -> dict[str, bytes]:
    """Small files that carry pictures beside the one that they show, by name."""
    small, other = scene(7, 60, 80), scene(8, 60, 80)
    jpeg = written(other, "JPEG")
    png = written(small, "PNG")
    return {
        "jpeg-thumbnail": written(small, "JPEG", exif=exif_with(jpeg)),
        "jpeg-mpo": written(small, "MPO", save_all=True, append_images=[other]),
        "png-hidden": png[:-12] + png_chunk(b"hiDe", jpeg) + png[-12:] + jpeg,
        "tiff-under": tiff_with_picture_under_its_page(small, other),
        "avif-sequence": animation("AVIF", 2)[:8] + b"avif" + animation("AVIF", 2)[12:],
    }


def mutable_files() -> dict[str, bytes]:
    """One small file of each kind that is decoded, by name."""
    small = scene(7, 60, 80)
    transparent = small.copy()
    transparent.putalpha(Image.fromarray(pictures.make("gradient", 3, 60, 80)[:, :, 0]))
    sixteen = Image.fromarray(np.asarray(small.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "jpeg": written(small, "JPEG", exif=exif, quality=80),
        "jpeg-progressive": written(small, "JPEG", progressive=True),
        "jpeg-cmyk": written(small.convert("CMYK"), "JPEG"),
        "png": written(transparent, "PNG"),
        "png-16": written(sixteen, "PNG"),
        "png-palette": written(small.quantize(32), "PNG"),
        "apng": animation("PNG", 2),
        "gif": animation("GIF", 3),
        "webp": written(small, "WEBP", quality=70),
        "webp-animated": animation("WEBP", 2),
        "webp-lossless": written(transparent, "WEBP", lossless=True),
        "bmp": written(small, "BMP"),
        "tiff": written(small, "TIFF", compression="raw"),
        "tiff-lzw": written(small, "TIFF", compression="tiff_lzw"),
        "tiff-jpeg": written(small, "TIFF", compression="jpeg"),
        "tiff-pages": animation("TIFF", 2),
        "ico": written(small, "ICO", sizes=[(16, 16), (64, 48)]),
        "avif": written(small, "AVIF", speed=10),
    }
