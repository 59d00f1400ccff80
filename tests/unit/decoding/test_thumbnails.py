"""What a reviewer is shown: small, upright, without metadata, and at the milder stages without detail."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.pool import DecoderPool
from seawall.errors import MediaCorrupt, NotMedia
from seawall.records import RevealStage
from tests.vectors import pictures
from tests.vectors.files import animation, scene, written


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("stage", RevealStage)
def test_a_jpeg_without_metadata(pool: DecoderPool, stage: RevealStage) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    data = written(scene(1, 600, 900), "JPEG", exif=exif, comment=b"a secret comment")
    thumbnail = pool.thumbnail(data, stage, 300)
    assert b"secret" not in thumbnail
    picture = opened(thumbnail)
    assert picture.format == "JPEG"
    assert max(picture.size) == (900 if stage is RevealStage.ORIGINAL else 300)
    assert dict(picture.getexif()) == {}
    assert picture.mode == ("L" if stage in {RevealStage.BLURRED, RevealStage.GREY} else "RGB")


def test_never_larger_than_the_picture(pool: DecoderPool) -> None:
    assert opened(pool.thumbnail(written(scene(1, 60, 90), "PNG"), RevealStage.COLOUR, 1000)).size == (90, 60)


def test_the_milder_stages_are_small_whatever_is_asked(pool: DecoderPool) -> None:
    data = written(scene(1, 1200, 1800), "JPEG")
    assert max(opened(pool.thumbnail(data, RevealStage.GREY, 5000)).size) == 400
    assert max(opened(pool.thumbnail(data, RevealStage.BLURRED, 5000)).size) == 400
    assert max(opened(pool.thumbnail(data, RevealStage.COLOUR, 5000)).size) == 1800


def test_blur_leaves_nothing_that_sharpening_could_bring_back(pool: DecoderPool) -> None:
    """Fine stripes, black and white: after the blur neighbours differ by next to nothing."""
    stripes = pictures.make("upright_stripes", 9, 600, 600)
    thumbnail = opened(pool.thumbnail(written(Image.fromarray(stripes), "PNG"), RevealStage.BLURRED, 400))
    steps = np.abs(np.diff(np.asarray(thumbnail, dtype=int), axis=1))
    assert steps.max() <= 12
    grey = opened(pool.thumbnail(written(Image.fromarray(stripes), "PNG"), RevealStage.GREY, 400))
    assert np.abs(np.diff(np.asarray(grey, dtype=int), axis=1)).max() > 100


def test_upright(pool: DecoderPool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    thumbnail = opened(pool.thumbnail(written(scene(1, 200, 300), "JPEG", exif=exif), RevealStage.COLOUR, 300))
    assert thumbnail.size == (200, 300)


def test_a_chosen_frame(pool: DecoderPool) -> None:
    data = animation("PNG", 3)
    for number in range(3):
        shown = np.asarray(opened(pool.thumbnail(data, RevealStage.COLOUR, 200, frame=number)), dtype=int)
        expected = np.asarray(scene(number, 120, 160), dtype=int)
        assert np.abs(shown - expected).mean() < 6
    with pytest.raises(MediaCorrupt, match="no frame 3"):
        pool.thumbnail(data, RevealStage.COLOUR, 200, frame=3)


def test_transparency_becomes_white(pool: DecoderPool) -> None:
    clear = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    shown = opened(pool.thumbnail(written(clear, "PNG"), RevealStage.COLOUR, 50))
    assert np.asarray(shown).min() == 255


def test_what_is_no_picture(pool: DecoderPool) -> None:
    with pytest.raises(NotMedia):
        pool.thumbnail(b"text", RevealStage.BLURRED, 100)
    with pytest.raises(MediaCorrupt):
        pool.thumbnail(written(scene(), "JPEG")[:900], RevealStage.BLURRED, 100)
