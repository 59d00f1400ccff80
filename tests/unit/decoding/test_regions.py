"""Parts of a picture that may be pictures of their own: found to the pixel, and always within the picture."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from seawall.decoding.pool import DecoderPool
from seawall.decoding.regions import MOST, Box, regions
from seawall.fingerprints.pdq import hash_picture
from seawall.settings import Settings
from tests.vectors.files import scene, written
from tests.vectors.videos import panning, still, video

PICTURE = scene(31).resize((800, 600))
UPRIGHT = int.from_bytes(hash_picture(np.asarray(PICTURE)).orientations[0])


def pasted(size: tuple[int, int], at: tuple[int, int], colour: object = "white") -> Image.Image:
    page = Image.new("RGB", size, colour)  # type: ignore[arg-type]
    page.paste(PICTURE, at)
    return page


def off_by(found: Box, expected: Box) -> int:
    return max(abs(one - other) for one, other in zip(found, expected, strict=True))


@pytest.fixture(scope="module")
def looking(compiled_cache: Path) -> Iterator[DecoderPool]:
    """A child that looks for parts."""
    with (
        tempfile.TemporaryDirectory(prefix="seawall-") as home,
        DecoderPool(Settings(home=Path(home), decoder_processes=1)) as pool,
    ):
        yield pool


def nearest(pool: DecoderPool, body: bytes) -> tuple[int, bool]:
    """The fewest bits between the picture and anything that is hashed of the file, and whether that is a part."""
    frames = pool.fingerprint(body).frames
    return min(
        ((int.from_bytes(turned) ^ UPRIGHT).bit_count(), frame.is_part)
        for frame in frames
        for turned in frame.orientations
    )


@pytest.mark.parametrize("colour", ["white", "black", (180, 40, 90), (128, 128, 128)])
@pytest.mark.parametrize("border", [(30, 30, 30, 30), (0, 90, 0, 90), (150, 0, 150, 0), (10, 40, 200, 80)])
def test_a_border_is_taken_off_to_the_pixel(colour: object, border: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = border
    page = pasted((800 + left + right, 600 + top + bottom), (left, top), colour)
    boxes = regions(np.asarray(page))
    assert off_by(boxes[0], (top, left, top + 600, left + 800)) <= 1


def test_what_stands_on_a_page_is_found() -> None:
    page = pasted((1920, 1080), (500, 200))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 1920, 80), fill=(222, 225, 230))
    for y in range(120, 1060, 30):
        draw.text((40, y), "the sea is calm tonight, the tide is full", fill="black")
        draw.text((1400, y), "the sea is calm tonight, the tide is full", fill="black")
    boxes = regions(np.asarray(page))
    assert min(off_by(box, (200, 500, 800, 1300)) for box in boxes) <= 2


def test_two_pictures_side_by_side_are_two() -> None:
    pixels = np.empty((600, 1600, 3), np.uint8)
    pixels[:, :800], pixels[:, 800:] = np.asarray(PICTURE) // 2, np.asarray(scene(77).resize((800, 600))) // 2 + 128
    boxes = regions(pixels)
    assert min(off_by(box, (0, 0, 600, 800)) for box in boxes) <= 1
    assert min(off_by(box, (0, 800, 600, 1600)) for box in boxes) <= 1


@pytest.mark.parametrize("colour", ["white", (7, 90, 200)])
def test_a_flat_picture_has_no_parts(colour: object) -> None:
    assert regions(np.asarray(Image.new("RGB", (640, 480), colour))) == []  # type: ignore[arg-type]


def test_a_gradient_has_no_parts() -> None:
    assert regions(np.broadcast_to(np.arange(256, dtype=np.uint8), (200, 256))) == []


def test_as_many_as_are_wanted() -> None:
    page = np.asarray(pasted((1920, 1080), (500, 200)))
    assert regions(page, 0) == []
    assert len(regions(page, 1)) == 1
    assert len(regions(page)) <= MOST


sides = st.integers(1, 90)


@given(
    arrays.arrays(
        np.uint8, st.tuples(sides, sides) | st.tuples(sides, sides, st.just(3)), elements=st.sampled_from([0, 8, 250])
    ),
    st.integers(1, 8),
    st.integers(1, 8),
)
def test_parts_lie_within_and_are_smaller(pixels: np.ndarray, down: int, across: int) -> None:
    pixels = pixels.repeat(down, axis=0).repeat(across, axis=1)
    boxes = regions(pixels)
    assert len(boxes) <= MOST
    for top, left, bottom, right in boxes:
        assert 0 <= top < bottom <= pixels.shape[0]
        assert 0 <= left < right <= pixels.shape[1]
        assert (bottom - top) * (right - left) < pixels.shape[0] * pixels.shape[1]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("turn", [None, Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT])
@pytest.mark.parametrize("scale", [1, 3])
def test_a_framed_picture_is_hashed_without_its_frame(
    looking: DecoderPool, kind: str, turn: Image.Transpose | None, scale: int
) -> None:
    page = pasted((1000, 800), (100, 100), (12, 60, 30))
    page = page if turn is None else page.transpose(turn)
    body = written(page.resize((page.width * scale, page.height * scale)), kind)
    distance, is_part = nearest(looking, body)
    assert distance <= 12
    assert is_part


def test_a_framed_film_is_hashed_without_its_frame(looking: DecoderPool) -> None:
    page = pasted((1000, 800), (100, 100), "black").resize((320, 240))
    distance, is_part = nearest(looking, video(panning(0.4) + still(page, 0.6)))
    assert distance <= 24
    assert is_part


def test_parts_can_be_left_alone(pool: DecoderPool, looking: DecoderPool) -> None:
    body = io.BytesIO()
    pasted((1000, 800), (100, 100)).save(body, "PNG")
    assert [frame.is_part for frame in pool.fingerprint(body.getvalue()).frames] == [False]
    assert [frame.is_part for frame in looking.fingerprint(body.getvalue()).frames][:2] == [False, True]
