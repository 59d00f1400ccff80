"""Damaged, hostile and oversized videos, through real children: an answer or a named error, in bounded time."""

from __future__ import annotations

import random
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seawall.decoding.pool import DecoderPool
from seawall.settings import Settings
from tests.fuzz.mutations import CRASHES, mutated, outcome
from tests.vectors.files import scene
from tests.vectors.videos import SMALL, small_videos, video

MUTATIONS = 60
FILES = small_videos()


@pytest.fixture(scope="module")
def pool(compiled_cache: Path) -> Iterator[DecoderPool]:
    with tempfile.TemporaryDirectory(prefix="seawall-") as home:
        settings = Settings(home=Path(home), decoder_processes=2, decoder_timeout_s=20, decoder_queue_s=60)
        with DecoderPool(settings.model_copy(update={"video_timeout_s": 20.0})) as pool:
            yield pool


@pytest.fixture(scope="module")
def hurried(compiled_cache: Path) -> Iterator[DecoderPool]:
    """Little time for a video, and little memory."""
    with tempfile.TemporaryDirectory(prefix="seawall-") as home:
        settings = Settings(home=Path(home), decoder_processes=1, decoder_timeout_s=20, decoder_queue_s=60)
        changes = {"video_timeout_s": 1.0, "decoder_memory_bytes": 1 << 30}
        with DecoderPool(settings.model_copy(update=changes)) as pool:
            yield pool


@pytest.mark.parametrize("name", FILES)
def test_mutations(pool: DecoderPool, name: str) -> None:
    chance, names = random.Random(f"seawall {name}"), sorted(FILES)
    files = [mutated(FILES[name], FILES[chance.choice(names)], chance) for _ in range(MUTATIONS)]
    with ThreadPoolExecutor(2) as threads:
        outcomes = Counter(threads.map(lambda data: outcome(pool, data), files))
    assert sum(outcomes.values()) == MUTATIONS
    assert not CRASHES & set(outcomes), outcomes
    assert pool.fingerprint(FILES[name]).frames


@pytest.mark.parametrize("name", FILES)
def test_beginnings(pool: DecoderPool, name: str) -> None:
    data = FILES[name]
    for length in (*range(1, 40, 7), *range(40, len(data) - 1, max(1, len(data) // 12))):
        assert outcome(pool, data[:length]) not in CRASHES


def huge_vp8() -> bytes:
    """Its first frame says that it is 16,383 pixels wide and high."""
    return FILES["webm"].replace(b"\x9d\x01\x2a\x60\x00\x40\x00", b"\x9d\x01\x2a\xff\x3f\xff\x3f")


def huge_mjpeg() -> bytes:
    data = video(SMALL, "avi", "mjpeg")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", 65_500, 65_500) + data[at + 4 :]


def endless_index() -> bytes:
    """An MP4 whose index says that there are four thousand million samples."""
    data = bytearray(FILES["mp4"])
    at = data.index(b"stsz") + 12
    data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


def many_tiny_packets() -> bytes:
    """Flash video of a million and a half packets with one byte each, which are no pictures."""
    tag = b"\x09\x00\x00\x02" + bytes(7) + b"\x22\x00" + b"\x00\x00\x00\x0d"
    return FILES["flv"] + tag * 1_500_000


def of_a_thousand_years() -> bytes:
    return video([scene(1), scene(2)], "matroska", times=[0, 1000 * 86_400 * 365 * 1000])


def said_to_last_for_ever() -> bytes:
    data = bytearray(FILES["mp4"])
    for name, place in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = data.index(name) + place
        data[at : at + 4] = b"\xff\xff\xff\xfe"
    return bytes(data)


BOMBS = {
    "vp8 of huge size": huge_vp8,
    "mjpeg of huge size": huge_mjpeg,
    "endless index": endless_index,
    "many tiny packets": many_tiny_packets,
    "a thousand years": of_a_thousand_years,
    "said to last for ever": said_to_last_for_ever,
    "an index inside an index": lambda: FILES["mp4"][:32] + b"\x00\x00\x00\x08moov" * 200_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(hurried: DecoderPool, name: str) -> None:
    """Read in part or refused, by the child itself: it need not be killed."""
    (pid,) = hurried.pids
    assert outcome(hurried, BOMBS[name]()) in {"decoded", "media_corrupt", "media_too_large", "media_unsupported"}
    assert hurried.fingerprint(FILES["mp4"]).frames
    assert pid in hurried.pids
