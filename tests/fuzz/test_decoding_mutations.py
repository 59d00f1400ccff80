"""Damaged, hostile and oversized files, through real children: an answer or a named error, never anything else."""

from __future__ import annotations

import io
import os
import random
import struct
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from seawall.decoding.pool import DecoderPool
from seawall.errors import DecoderCrashed, DecoderTimeout, MediaCorrupt, MediaTooLarge
from seawall.settings import Settings
from tests.fuzz.mutations import mutated, outcome
from tests.vectors.files import carrying_files, mutable_files, png_chunk, png_header, scene, with_png_chunk, written

MUTATIONS = 1000
FILES = mutable_files() | carrying_files()
SOUND = written(scene(), "PNG")


@pytest.fixture(scope="module")
def pool(compiled_cache: Path) -> Iterator[DecoderPool]:
    with tempfile.TemporaryDirectory(prefix="seawall-") as home:
        settings = Settings(home=Path(home), decoder_processes=2, decoder_timeout_s=20, decoder_queue_s=60)
        pool = DecoderPool(settings)
        pool.start()
        yield pool
        pids = pool.pids
        pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.fixture(autouse=True)
def _still_alive(pool: DecoderPool) -> Iterator[None]:
    """After whatever a test has sent, a sound picture is read as before and no child was left behind."""
    yield
    assert pool.fingerprint(SOUND).frames
    deadline = time.monotonic() + 60
    while pool.ready != 2:  # while worn or killed children are being replaced
        assert time.monotonic() < deadline
        time.sleep(0.02)


def apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FILES)
def test_mutations(pool: DecoderPool, name: str) -> None:
    names = sorted(FILES)
    chance = random.Random(f"seawall {name}")
    files = [mutated(FILES[name], FILES[chance.choice(names)], chance) for _ in range(MUTATIONS)]
    with ThreadPoolExecutor(2) as threads:
        outcomes = Counter(threads.map(lambda data: outcome(pool, data), files))
    assert sum(outcomes.values()) == MUTATIONS
    assert outcomes["decoder_crashed"] == 0, outcomes
    assert outcomes["decoder_timeout"] == 0, outcomes


@pytest.mark.parametrize("name", FILES)
def test_every_short_beginning(pool: DecoderPool, name: str) -> None:
    data = FILES[name]
    for length in (*range(64), *range(64, len(data) - 1, max(1, len(data) // 40))):
        assert outcome(pool, data[:length]) not in {"decoder_crashed", "decoder_timeout"}


def idat(raw: bytes) -> bytes:
    return png_chunk(b"IDAT", zlib.compress(raw, 9)) + png_chunk(b"IEND", b"")


def huge_gif() -> bytes:
    """A GIF whose screen is 65,535 pixels wide and high, with one small frame in it."""
    data = bytearray(written(scene(1, 20, 20).quantize(8), "GIF"))
    data[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


def gif_with_a_huge_frame() -> bytes:
    data = bytearray(written(scene(1, 20, 20).quantize(8), "GIF"))
    start = data.index(b",", 13 + 3 * (2 << (data[10] & 7)))
    data[start + 5 : start + 9] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


def huge_tiff() -> bytes:
    data = written(scene(1, 20, 30), "TIFF")
    entry = struct.pack("<HHI", 256, 4, 1)
    at = data.index(entry) + 8
    return data[:at] + struct.pack("<I", 4_000_000_000) + data[at + 4 :]


def huge_bmp() -> bytes:
    data = bytearray(written(scene(1, 20, 30), "BMP"))
    data[18:26] = struct.pack("<ii", 200_000, 200_000)
    return bytes(data)


def ico_with_a_huge_png() -> bytes:
    inner = png_header(40_000, 40_000) + idat(bytes(1000))
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22) + inner


def webp_with_a_huge_canvas() -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff\x3f\x00" + b"\xff\x3f\x00"
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


BOMBS = {
    "png of huge size": png_header(2_000_000_000, 2_000_000_000) + idat(b"\0"),
    "png just over the limit, fully there": png_header(10_001, 10_000) + idat(bytes(30_013 * 1000)),
    "png text bomb": with_png_chunk(SOUND, b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9)),
    "png profile bomb": with_png_chunk(SOUND, b"iCCP", b"icc\0\0" + zlib.compress(bytes(200_000_000), 9)),
    "png international text bomb": with_png_chunk(
        SOUND, b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(200_000_000), 9)
    ),
    "gif of huge screen": huge_gif(),
    "gif with a huge frame": gif_with_a_huge_frame(),
    "tiff of huge width": huge_tiff(),
    "bmp of huge size": huge_bmp(),
    "ico with a huge png": ico_with_a_huge_png(),
    "webp with a huge canvas": webp_with_a_huge_canvas(),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs(pool: DecoderPool, data: bytes) -> None:
    """Refused before they unfold: neither a crash nor a timeout."""
    with pytest.raises((MediaTooLarge, MediaCorrupt)):
        pool.fingerprint(data)


def test_a_compressed_bomb_inside_the_pixels_ends(pool: DecoderPool) -> None:
    """A small declared size, and pixel data that unfold to a gigabyte: only what belongs to the picture is read."""
    data = png_header(100, 100) + idat(bytes(1_000_000_000))
    try:
        assert pool.fingerprint(data).width == 100
    except (MediaCorrupt, MediaTooLarge):
        pass
    except (DecoderCrashed, DecoderTimeout) as error:
        pytest.fail(f"the bomb went off: {error}")


@pytest.mark.parametrize("first", ["jpeg", "png", "gif", "bmp"])
@pytest.mark.parametrize("second", ["jpeg", "png", "gif", "webp", "tiff"])
def test_polyglots_are_what_they_begin_as_and_what_follows(pool: DecoderPool, first: str, second: str) -> None:
    joined, alone = pool.fingerprint(FILES[first] + FILES[second]), pool.fingerprint(FILES[first])
    assert joined.media_type == alone.media_type
    assert joined.frames[: len(alone.frames)] == alone.frames
    seen = {frame.pdq for frame in pool.fingerprint(FILES[second]).frames if not frame.is_part}
    turned = [pdq for frame in joined.frames for pdq in frame.orientations]
    near = [any(apart(pdq, each) <= 31 for each in turned) for pdq in seen]
    assert all(near)


def test_noise_is_no_media(pool: DecoderPool) -> None:
    chance = random.Random("noise")
    for _ in range(200):
        assert outcome(pool, chance.randbytes(chance.randrange(400))) in {
            "not_media",
            "media_unsupported",
            "media_corrupt",
        }


def test_a_tiff_that_points_at_itself(pool: DecoderPool) -> None:
    data = bytearray(written(Image.new("L", (30, 20)), "TIFF"))
    (directory,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, directory)
    struct.pack_into("<I", data, directory + 2 + 12 * entries, directory)
    assert Image.open(io.BytesIO(bytes(data))).size == (30, 20)
    assert outcome(pool, bytes(data)) in {"decoded", "media_corrupt", "media_too_large"}
