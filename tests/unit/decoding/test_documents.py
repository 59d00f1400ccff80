"""What a PDF shows, and the pictures and files in it, are looked up."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.operations import fingerprint
from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.settings import Settings
from tests.unit.decoding.test_archives import codes, digests_of, nearest
from tests.vectors.files import page_with, paged, pdf_of, scene, stream, written, zipped

SCENE, OTHER = scene(), scene(77)
JPEG = written(OTHER, "JPEG", quality=95)


def raw_picture(picture: Image.Image, entries: bytes = b"/Filter/FlateDecode") -> bytes:
    """The picture as a PDF embeds one."""
    pixels = zlib.compress(np.asarray(picture).tobytes())
    size = b"/Width %d/Height %d" % picture.size
    return stream(pixels, b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8" + size + entries)


def jpeg_picture(data: bytes, width: int, height: int) -> bytes:
    size = b"/Width %d/Height %d" % (width, height)
    entries = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
    return stream(data, entries + size)


def test_pages_of_pictures(pool: DecoderPool) -> None:
    media = pool.fingerprint(paged(SCENE, OTHER, scene(3).quantize(256)))
    assert media.media_type == "application/pdf"
    assert (media.width, media.height) == (1024, 768)
    assert not media.owed
    for picture in (SCENE, OTHER, scene(3)):
        assert nearest(media, picture) <= 12


def test_a_picture_that_is_shown_small_and_covered_is_looked_up_by_itself(pool: DecoderPool) -> None:
    covered = b"q 20 0 0 15 30 30 cm /X5 Do Q q 20 0 0 15 200 30 cm /X6 Do Q 1 0 0 rg 0 0 320 240 re f"
    media = pool.fingerprint(page_with(covered, raw_picture(SCENE), jpeg_picture(JPEG, *OTHER.size)))
    assert nearest(media, SCENE) == 0
    assert nearest(media, OTHER) <= 8
    assert media.parts == (digests_of(JPEG),)


def test_a_picture_that_is_cut_to_pieces_is_seen_on_its_page(pool: DecoderPool) -> None:
    halves = SCENE.crop((0, 0, 160, 240)), SCENE.crop((160, 0, 320, 240))
    content = b"q 160 0 0 240 0 0 cm /X5 Do Q q 160 0 0 240 160 0 cm /X6 Do Q"
    media = pool.fingerprint(page_with(content, *(raw_picture(half) for half in halves)))
    assert nearest(media, SCENE) <= 8


def test_a_file_that_hangs_in_a_pdf_is_looked_into(pool: DecoderPool) -> None:
    inner = zipped({"a.jpg": JPEG})
    data = pdf_of(
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.zip) 4 0 R]>>>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 90 90]>>",
        b"<</Type/Filespec/F(a.zip)/EF<</F 5 0 R>>>>",
        stream(inner, b"/Type/EmbeddedFile/Params<</Size %d>>" % len(inner)),
    )
    media = pool.fingerprint(data)
    assert nearest(media, OTHER) <= 8
    assert {digests_of(inner), digests_of(JPEG)} == set(media.parts)


def test_a_pdf_in_an_archive_and_behind_a_picture(pool: DecoderPool) -> None:
    for data in (zipped({"a.pdf": paged(OTHER)}), written(SCENE, "PNG") + paged(OTHER)):
        media = pool.fingerprint(data)
        assert nearest(media, OTHER) <= 12
        assert not media.owed


def test_what_is_encrypted_is_owed(pool: DecoderPool) -> None:
    secret = b"/Encrypt<</Filter/Standard/V 1/R 2/O<%b>/U<%b>/P -4>>" % (b"ab" * 32, b"cd" * 32)
    names = b"/ID[<%b><%b>]" % (b"00" * 16, b"00" * 16)
    media = pool.fingerprint(page_with(b"", trailer=names + secret))
    assert media.frames == ()
    assert codes(media) == {"media_unsupported"}


def test_what_cannot_be_read_is_owed(pool: DecoderPool) -> None:
    data = paged(SCENE, OTHER)
    for broken in (b"%PDF-1.7\n", data[: len(data) // 2], pdf_of(b"<</Type/Catalog>>")):
        assert codes(pool.fingerprint(broken)) == {"media_corrupt"}
    half = page_with(b"q 320 0 0 240 0 0 cm /X5 Do Q", jpeg_picture(JPEG[: len(JPEG) // 2], *OTHER.size))
    assert codes(pool.fingerprint(half)) == {"media_corrupt"}


def test_more_pages_than_the_limit_are_owed() -> None:
    found = fingerprint(paged(SCENE, OTHER, scene(3)), limits_of(Settings(max_pages=2)))
    assert len({frame["number"] for frame in found["frames"]}) == 4
    assert found["owed"].keys() == {"media_too_large"}


BOMBS = {
    "a picture of many pixels": page_with(
        b"q 9 0 0 9 0 0 cm /X5 Do Q",
        raw_picture(SCENE).replace(b"/Width 320/Height 240", b"/Width 60000/Height 60000"),
    ),
    "a picture that unfolds": page_with(
        b"q 9 0 0 9 0 0 cm /X5 Do Q",
        stream(
            zlib.compress(zlib.compress(bytes(600_000_000), 9), 9),
            b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Width 40000/Height 40000"
            b"/Filter[/FlateDecode/FlateDecode]",
        ),
    ),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs_are_owed(pool: DecoderPool, data: bytes) -> None:
    (pid,) = pool.pids
    assert codes(pool.fingerprint(data)) == {"media_too_large"}
    assert pool.pids == (pid,)


def test_a_page_of_any_size_is_drawn_small(pool: DecoderPool) -> None:
    for box in (b"0 0 14400 14400", b"0 0 1 1", b"0 0 14400 1"):
        media = pool.fingerprint(page_with(b"1 0 0 rg 0 0 9 9 re f", box=box))
        assert media.width is not None
        assert media.height is not None
        assert max(media.width, media.height) <= 1025
