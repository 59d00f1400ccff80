"""JPEG XL is read where its extra is installed, and its size is known before it unfolds."""

from __future__ import annotations

import platform
import random
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from seawall.decoding import jxl
from seawall.decoding.operations import fingerprint
from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported
from seawall.fingerprints.pdq import hash_picture
from seawall.settings import Settings
from tests.fuzz.mutations import mutated, outcome
from tests.vectors.files import scene, written, zipped

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and platform.machine() == "aarch64", reason="there is no wheel of it for this machine"
)
SCENE = scene()
MUTATIONS = 300


def as_jxl(picture: Image.Image, **options: object) -> bytes:
    import pylibjxl

    return bytes(pylibjxl.encode(np.asarray(picture), **options))


def animated_header() -> bytes:
    """The codestream header of an animation of 8 x 8 pixels (ISO/IEC 18181-1, annex D), lowest bits first."""
    fields = [(1, 1), (0, 5), (1, 3)]  # small: (0 + 1) * 8 high, ratio 1:1
    fields += [(0, 1), (1, 1), (0, 3), (0, 1), (0, 1), (1, 1)]  # extra fields: orientation 1; an animation
    fields += [(0, 2), (0, 2), (0, 2), (0, 1)]  # 100 ticks a second, denominator 1, for ever, no timecodes
    fields += [(0, 1), (0, 2), (1, 1), (0, 2), (1, 1), (1, 1)]  # eight bits, no extra channel, XYB, sRGB
    fields += [(0, 2), (1, 1)]  # no extensions; the usual transforms
    value = at = 0
    for number, width in fields:
        value |= number << at
        at += width
    return b"\xff\x0a" + value.to_bytes(8, "little") + bytes(200)


def test_a_still_picture(pool: DecoderPool) -> None:
    for data in (as_jxl(SCENE, lossless=True), zipped({"a.jxl": as_jxl(SCENE, lossless=True)})):
        media = pool.fingerprint(data)
        assert [frame.pdq for frame in media.frames] == [hash_picture(np.array(SCENE)).orientations[0]]
        assert (media.width, media.height) == SCENE.size


def test_a_jpeg_that_was_packed_anew(pool: DecoderPool) -> None:
    import pylibjxl

    jpeg = written(SCENE, "JPEG", quality=90)
    (packed,), (plain,) = (pool.fingerprint(each).frames for each in (pylibjxl.jpeg_to_jxl(jpeg), jpeg))
    assert (int.from_bytes(packed.pdq) ^ int.from_bytes(plain.pdq)).bit_count() <= 4


def test_transparency_is_seen_over_white_and_over_black(pool: DecoderPool) -> None:
    picture = SCENE.copy()
    picture.putalpha(scene(77).convert("L"))
    assert [frame.number for frame in pool.fingerprint(as_jxl(picture)).frames] == [0, 0]


def test_a_large_picture_is_read_on_one_thread(pool: DecoderPool) -> None:
    (pid,) = pool.pids
    assert pool.fingerprint(as_jxl(scene(3, 1500, 2000))).width == 2000
    assert pool.pids == (pid,)


def test_its_size_is_checked_before_it_unfolds() -> None:
    limits = limits_of(Settings(max_pixels=320 * 240 - 1))
    with pytest.raises(MediaTooLarge):
        fingerprint(as_jxl(SCENE), limits)


def test_what_ends_early_is_corrupt(pool: DecoderPool) -> None:
    data = as_jxl(SCENE, lossless=True)
    for share in (0.3, 0.5, 0.9):
        with pytest.raises(MediaCorrupt):
            pool.fingerprint(data[: int(len(data) * share)])


def test_an_animation_is_unsupported(pool: DecoderPool) -> None:
    """What the library says of the smallest codestream header that announces one; no encoder here writes it."""
    data = animated_header()
    assert jxl.pylibjxl.probe(data)["have_animation"]
    with pytest.raises(MediaUnsupported):
        pool.fingerprint(data)


@pytest.mark.timeout(300)
def test_mutations(pool: DecoderPool) -> None:
    chance, data = random.Random("seawall jxl"), as_jxl(scene(7, 60, 80))
    outcomes = Counter(outcome(pool, mutated(data, written(SCENE, "PNG"), chance)) for _ in range(MUTATIONS))
    assert not {"decoder_crashed", "decoder_timeout"} & set(outcomes), outcomes
