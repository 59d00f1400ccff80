"""Filmstrips: small grey stills with their places, from any time on, and each still on its own."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.pool import DecoderPool
from seawall.errors import MediaCorrupt, NotMedia
from seawall.records import RevealStage
from tests.vectors.files import scene
from tests.vectors.videos import panning, still, video

PICTURES = [scene(seed) for seed in (21, 22, 23, 24, 25)]


def opened(body: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(body))
    picture.load()
    return picture


def apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference in grey, of 255."""
    size = (80, 60)
    pixels = [np.asarray(each.convert("L").resize(size), dtype=float) for each in (one, other)]
    return float(np.abs(pixels[0] - pixels[1]).mean())


@pytest.fixture(scope="module")
def film() -> bytes:
    """Five seconds, each another picture, with a track of silence."""
    frames = [frame for picture in PICTURES for frame in still(picture, 1.0)]
    return video(frames, "mov", sound=True)


def test_a_film_is_spread_over_one_sheet(pool: DecoderPool, film: bytes) -> None:
    strip, sheet = pool.strip(film, RevealStage.GREY, 0, 0)
    assert strip.moving
    assert strip.length is not None
    assert abs(strip.length - 5000) < 200
    assert len(strip.places) == 12
    assert list(strip.places) == sorted(set(strip.places))
    assert not strip.more
    picture = opened(sheet)
    assert (picture.mode, picture.size) == ("L", (640, 360))


def test_a_film_is_asked_for_a_time_and_a_still_is_what_is_seen_then(pool: DecoderPool, film: bytes) -> None:
    strip, sheet = pool.strip(film, RevealStage.GREY, 1, 1)
    assert [round(place / 1000) for place in strip.places] == [1, 2, 3, 4]
    cells = [opened(sheet).crop((160 * number, 0, 160 * number + 160, 120)) for number in range(4)]
    for cell, place, picture in zip(cells, strip.places, PICTURES[1:], strict=True):
        colour = opened(pool.still(film, RevealStage.COLOUR, 320, place))
        assert colour.mode == "RGB"
        assert apart(colour, picture) < 6
        assert apart(cell, picture) < 25 < min(apart(cell, other) for other in PICTURES if other is not picture)


def test_a_long_film_goes_on(pool: DecoderPool) -> None:
    strip, _ = pool.strip(video(panning(15.0)), RevealStage.BLURRED, 0, 1)
    assert len(strip.places) == 12
    assert strip.more


def test_blurred_stills_tell_less(pool: DecoderPool, film: bytes) -> None:
    sheets = [opened(pool.strip(film, stage, 0, 1)[1]) for stage in (RevealStage.BLURRED, RevealStage.GREY)]
    inside = [np.asarray(sheet.crop((20, 30, 140, 110)), dtype=int) for sheet in sheets]
    steps = [np.abs(np.diff(pixels, axis=1)).mean() for pixels in inside]
    assert steps[0] < steps[1] / 2


def test_an_animation_is_leafed_through_by_number(pool: DecoderPool) -> None:
    written, frames = io.BytesIO(), [scene(seed, 60, 80) for seed in range(40, 55)]
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], duration=100)
    strip, _ = pool.strip(written.getvalue(), RevealStage.GREY, 0, 0)
    assert (strip.places, strip.more, strip.moving, strip.length) == (tuple(range(12)), True, False, None)
    strip, sheet = pool.strip(written.getvalue(), RevealStage.GREY, 12, 0)
    assert (strip.places, strip.more) == ((12, 13, 14), False)
    assert opened(sheet).size == (640, 120)


def test_where_nothing_is(pool: DecoderPool, film: bytes) -> None:
    with pytest.raises(MediaCorrupt):
        pool.strip(film, RevealStage.GREY, 100, 0)
    with pytest.raises(MediaCorrupt):
        pool.still(film, RevealStage.GREY, 100, 100_000)
    with pytest.raises(NotMedia):
        pool.strip(b"text", RevealStage.GREY, 0, 0)
    with pytest.raises(MediaCorrupt):
        pool.strip(film[: len(film) // 3], RevealStage.GREY, 0, 0)
