"""What a picture's file carries beside what viewers show of it is looked up too."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.carried import baggage
from seawall.decoding.operations import fingerprint
from seawall.decoding.outline import outline
from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.decoding.sniff import sniff
from seawall.errors import MediaCorrupt
from seawall.fingerprints.pdq import hash_picture
from seawall.records import DecodedMedia, RevealStage
from seawall.settings import Settings
from tests.vectors.files import (
    animation,
    exif_with,
    mutable_files,
    paged,
    png_chunk,
    scene,
    tiff_with_picture_under_its_page,
    written,
    zipped,
)

SCENE, OTHER = scene(), scene(77)
JPEG = written(SCENE, "JPEG", quality=90)
FILES = mutable_files()
WITH_AN_END = [name for name in FILES if not name.startswith("tiff")]


def thumbnail_of(picture: Image.Image, side: int = 160) -> bytes:
    small = picture.copy()
    small.thumbnail((side, side))
    return written(small, "JPEG", quality=85)


def nearest(media: DecodedMedia, picture: Image.Image) -> int:
    expected = int.from_bytes(hash_picture(np.array(picture.convert("RGB"))).orientations[0])
    return min((int.from_bytes(frame.pdq) ^ expected).bit_count() for frame in media.frames)


def test_a_thumbnail_that_shows_something_else_is_looked_up(pool: DecoderPool) -> None:
    data = written(SCENE, "JPEG", quality=90, exif=exif_with(thumbnail_of(OTHER)))
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x0112) is not None
    media = pool.fingerprint(data)
    assert [frame.number for frame in media.frames] == [0, 1]
    assert nearest(media, SCENE) <= 8
    assert nearest(media, OTHER.resize((160, 120))) <= 10
    assert not media.owed


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_thumbnail_of_the_same_picture_adds_nothing(pool: DecoderPool, orientation: int) -> None:
    with_thumbnail = written(SCENE, "JPEG", quality=90, exif=exif_with(thumbnail_of(SCENE), orientation))
    assert len(pool.fingerprint(with_thumbnail).frames) == 1


@pytest.mark.parametrize("opener", ["PNG", "WEBP"])
def test_thumbnails_in_other_formats(pool: DecoderPool, opener: str) -> None:
    media = pool.fingerprint(written(SCENE, opener, exif=exif_with(thumbnail_of(OTHER))))
    assert nearest(media, OTHER.resize((160, 120))) <= 10


def test_a_broken_thumbnail_holds_nothing(pool: DecoderPool) -> None:
    broken = thumbnail_of(OTHER)
    data = written(SCENE, "JPEG", quality=90, exif=exif_with(broken[: len(broken) // 2]))
    media = pool.fingerprint(data)
    assert (media.frames, media.owed) == (pool.fingerprint(JPEG).frames, ())


def test_every_picture_of_an_mpo_is_looked_up(pool: DecoderPool) -> None:
    media = pool.fingerprint(written(SCENE, "MPO", save_all=True, append_images=[OTHER, scene(3)]))
    assert [frame.number for frame in media.frames] == [0, 1, 2]
    for picture in (SCENE, OTHER, scene(3)):
        assert nearest(media, picture) <= 8


@pytest.mark.parametrize("first", WITH_AN_END)
@pytest.mark.parametrize("second", ["jpeg", "png", "gif", "webp", "bmp", "tiff", "ico", "avif"])
def test_a_picture_behind_a_picture_is_looked_up(pool: DecoderPool, first: str, second: str) -> None:
    behind = written(OTHER, second, **({"sizes": [(128, 96)]} if second == "ico" else {}))
    media = pool.fingerprint(FILES[first] + behind)
    assert nearest(media, OTHER) <= 12
    assert not media.owed
    assert media.frames[: len(pool.fingerprint(FILES[first]).frames)] == pool.fingerprint(FILES[first]).frames


def test_pictures_behind_filling_and_text_are_found(pool: DecoderPool) -> None:
    media = pool.fingerprint(JPEG + bytes(5000) + b"The sea is calm." + written(OTHER, "PNG") + b"!" + JPEG)
    assert nearest(media, OTHER) == 0


def test_what_is_broken_behind_a_picture_is_owed(pool: DecoderPool) -> None:
    behind = written(OTHER, "PNG")
    (owed,) = pool.fingerprint(JPEG + behind[: len(behind) // 2]).owed
    assert owed.code == "media_corrupt"


def test_a_picture_in_a_chunk_of_its_own_is_found(pool: DecoderPool) -> None:
    png = written(SCENE, "PNG")
    hidden = png[:-12] + png_chunk(b"hiDe", b"the sea " * 9 + thumbnail_of(OTHER)) + png[-12:]
    assert nearest(pool.fingerprint(hidden), OTHER.resize((160, 120))) <= 10


def test_more_than_anybody_carries_is_owed(pool: DecoderPool) -> None:
    small = written(SCENE.resize((16, 16)), "PNG")
    (owed,) = pool.fingerprint(JPEG + small * 65).owed
    assert owed.code == "media_too_large"


def matryoshka(depth: int) -> bytes:
    """A picture in a chunk of a picture, and so on; each another one."""
    data = written(scene(depth, 60, 80), "PNG")
    if depth == 0:
        return data
    return data[:-12] + png_chunk(b"hiDe", matryoshka(depth - 1)) + data[-12:]


def test_nesting_ends_somewhere() -> None:
    limits = limits_of(Settings(max_nesting=3, max_regions=0))
    assert len(fingerprint(matryoshka(3), limits)["frames"]) == 4
    deeper = fingerprint(matryoshka(4), limits)
    assert len(deeper["frames"]) == 4
    assert deeper["owed"].keys() == {"media_too_large"}


def test_the_frames_of_what_is_carried_can_be_shown(pool: DecoderPool) -> None:
    shown = Image.open(io.BytesIO(pool.thumbnail(JPEG + written(OTHER, "PNG"), RevealStage.COLOUR, 320, 1)))
    assert np.abs(np.asarray(shown, float) - np.asarray(OTHER, float)).mean() < 12


def test_a_picture_under_a_page_of_a_tiff_is_looked_up(pool: DecoderPool) -> None:
    data = tiff_with_picture_under_its_page(SCENE, OTHER)
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 1
    media = pool.fingerprint(data)
    assert nearest(media, SCENE) == 0
    assert nearest(media, OTHER) == 0


def test_a_page_that_hangs_under_itself_ends(pool: DecoderPool) -> None:
    data = bytearray(tiff_with_picture_under_its_page(SCENE, OTHER))
    (directory,) = struct.unpack_from("<I", data, 4)
    at = data.index(struct.pack("<HHI", 330, 4, 1), directory)
    struct.pack_into("<I", data, at + 8, directory)
    assert pool.fingerprint(bytes(data)).frames == pool.fingerprint(written(SCENE, "TIFF")).frames


def test_what_cannot_be_read_under_a_page_holds_the_file(pool: DecoderPool) -> None:
    data = bytearray(tiff_with_picture_under_its_page(SCENE, OTHER))
    (directory,) = struct.unpack_from("<I", data, 4)
    at = data.index(struct.pack("<HHI", 330, 4, 1), directory)
    struct.pack_into("<I", data, at + 8, 9)
    with pytest.raises(MediaCorrupt):
        pool.fingerprint(bytes(data))


def test_an_avif_sequence_that_calls_itself_a_picture_is_read_to_its_end(pool: DecoderPool) -> None:
    sequence = animation("AVIF", 3)
    assert sequence[8:12] == b"avis"
    picture = sequence[:8] + b"avif" + sequence[12:]
    assert getattr(Image.open(io.BytesIO(picture)), "n_frames", 1) == 1
    frames = {frame.pdq for frame in pool.fingerprint(sequence).frames}
    assert len(frames) == 3
    assert {frame.pdq for frame in pool.fingerprint(picture).frames} == frames


def places() -> Iterator[tuple[str, bytes]]:
    for name in WITH_AN_END:
        yield name, FILES[name]
    yield "bmp-palette", written(SCENE.quantize(16), "BMP")
    yield "gif-comment", written(SCENE.quantize(16), "GIF", comment=b"the sea")


@pytest.mark.parametrize(("name", "data"), [*places()], ids=[name for name, _ in places()])
def test_sound_files_end_where_they_end_and_carry_nothing(name: str, data: bytes) -> None:
    kind = sniff(data)
    found = outline(data, kind)
    assert found is not None
    assert found.end == len(data)
    assert baggage(data, kind, 10).pieces == ()
    longer = outline(data + b"more", kind)
    assert longer is not None
    assert longer.end == len(data)
    for length in range(20, len(data), 97):
        cut = outline(data[:length], kind)
        assert cut is not None
        assert cut.end <= length


NOTED = {
    "plain": (JPEG, set()),
    "filling": (JPEG + bytes(5000), set()),
    "a slip": (JPEG + b"\r\nthe sea", set()),
    "text": (JPEG + b"The sea is calm tonight. " * 9, {"trailing_data"}),
    "noise": (written(SCENE, "PNG") + np.random.default_rng(1).bytes(3000), {"trailing_data"}),
    "a picture of several": (written(SCENE, "MPO", save_all=True, append_images=[OTHER]), set()),
    "another kind": (JPEG + written(OTHER, "PNG"), {"polyglot"}),
    "an archive": (written(SCENE, "GIF") + zipped({"a.txt": b"the sea"}), {"polyglot"}),
    "a document in a comment": (written(SCENE, "JPEG", comment=paged(OTHER)), {"polyglot"}),
    "both": (JPEG + b"The sea is calm tonight. " * 90 + paged(OTHER), {"trailing_data", "polyglot"}),
    "in an archive": (zipped({"a.jpg": JPEG + b"The sea is calm tonight. " * 9}), {"trailing_data"}),
}


@pytest.mark.parametrize(("data", "expected"), NOTED.values(), ids=NOTED)
def test_what_is_unusual_is_noted_and_holds_nothing(pool: DecoderPool, data: bytes, expected: set[str]) -> None:
    media = pool.fingerprint(data)
    assert {noted.code for noted in media.noted} == expected
    assert not media.owed
    assert nearest(media, SCENE) <= 12
