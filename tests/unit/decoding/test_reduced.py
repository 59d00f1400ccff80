"""Large JPEGs are read with fewer pixels, and have the hashes of the whole picture all the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Exif

from seawall.decoding.jpeg import read_jpeg, reduction
from seawall.decoding.pool import DecoderPool
from seawall.errors import MediaCorrupt
from seawall.fingerprints.pdq import hash_picture
from tests.vectors import pictures

pytestmark = pytest.mark.usefixtures("compiled_cache")

# (height, width), and by what they are reduced.
SIZES = {
    (480, 640): 1,
    (1023, 4096): 1,
    (1024, 1024): 2,
    (1025, 1371): 2,
    (2051, 2049): 4,
    (4100, 4099): 8,
}


def picture(maker: str, size: tuple[int, int]) -> Image.Image:
    """One of that height and width, drawn small since drawing takes long."""
    return Image.fromarray(pictures.make(maker, 5, 600, 800)).resize(size[::-1], Image.Resampling.BICUBIC)


def stored(picture: Image.Image, **how: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", **{"quality": 85, **how})  # type: ignore[arg-type]
    return target.getvalue()


def bits_apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("maker", "how"),
    [("shapes", {}), ("landscape", {"progressive": True}), ("grey", {"quality": 60}), ("shapes", {"subsampling": 0})],
    ids=str,
)
def test_within_two_bits_in_every_orientation(maker: str, how: dict[str, object], size: tuple[int, int]) -> None:
    data = stored(picture(maker, size), **how)
    header = Image.open(io.BytesIO(data))
    by = reduction(header, turned=False)
    assert by == SIZES[size]
    small = read_jpeg(data, header, by)
    assert small.shape[:2] == (-(-size[0] // by), -(-size[1] // by))
    whole, reduced = hash_picture(read_jpeg(data, header)), hash_picture(small, size, by)
    assert abs(whole.quality - reduced.quality) <= 1
    apart = [bits_apart(one, other) for one, other in zip(whole.orientations, reduced.orientations, strict=True)]
    assert max(apart) <= (2 if by > 1 else 0)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("size", [(1200, 1604), (1025, 1371)], ids=str)
def test_turned_as_exif_says(pool: DecoderPool, size: tuple[int, int], orientation: int) -> None:
    upright = picture("landscape", size)
    exif = Exif()
    exif[0x0112] = orientation
    plain, turned = pool.fingerprint(stored(upright)), pool.fingerprint(stored(upright, exif=exif))
    shape = size if orientation < 5 else size[::-1]
    assert (turned.height, turned.width) == shape
    assert min(bits_apart(turned.frames[0].pdq, each) for each in plain.frames[0].orientations) <= 2


def test_what_only_colours_tell_is_seen(pool: DecoderPool) -> None:
    """All of its brightness is black. What is shown is made of colours that are out of range."""
    colours = picture("shapes", (1200, 1600)).convert("L").point(lambda value: 128 + value // 2)
    data = stored(Image.merge("YCbCr", (Image.new("L", colours.size, 0), colours, colours)))
    displayed = hash_picture(np.array(Image.open(io.BytesIO(data)).convert("RGB")))
    found = pool.fingerprint(data).frames[0]
    assert displayed.quality > 0
    assert found.quality is not None
    assert abs(found.quality - displayed.quality) <= 1
    assert bits_apart(found.pdq, displayed.orientations[0]) <= 2


@pytest.mark.parametrize("maker", ["noise", "stripes"])
def test_where_little_decides_all_of_it_is_read(pool: DecoderPool, maker: str) -> None:
    """Texture without any picture in it: reduced, its hash would be many bits off."""
    data = stored(Image.fromarray(pictures.make(maker, 5, 1100, 1300)), quality=90)
    header = Image.open(io.BytesIO(data))
    reduced = hash_picture(read_jpeg(data, header, 2), (1100, 1300), 2)
    whole = hash_picture(read_jpeg(data, header)).orientations
    assert max(bits_apart(one, other) for one, other in zip(whole, reduced.orientations, strict=True)) > 2
    assert pool.fingerprint(data).frames[0].orientations == whole


def test_one_that_ends_early_is_damaged(pool: DecoderPool) -> None:
    data = stored(picture("shapes", (2100, 2100)))
    with pytest.raises(MediaCorrupt):
        pool.fingerprint(data[: len(data) // 2] + b"\xff\xd9")


def test_squares_that_do_not_make_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="reduced by 4"):
        hash_picture(np.zeros((512, 512, 3), np.uint8), (2048, 2049), 4)
