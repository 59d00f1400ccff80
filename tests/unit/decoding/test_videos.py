"""Videos: what is shown in them is found, in every container, whichever way they are turned, cut and timed."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.decoding.sniff import sniff
from seawall.decoding.videos import Video
from seawall.errors import DecoderTimeout, DecoderUnavailable, MediaCorrupt, MediaTooLarge, MediaUnsupported
from seawall.fingerprints.pdq import hash_picture
from seawall.records import DecodedMedia, RevealStage
from seawall.settings import Settings
from tests.vectors.files import scene, written
from tests.vectors.videos import RATE, boxes, index_first, panning, still, turned, video, with_subtitles

LISTED = scene(77)


def distances(media: DecodedMedia, picture: Image.Image) -> dict[int, int]:
    """By frame number, the bits between its upright hash and the picture's."""
    expected = int.from_bytes(hash_picture(np.asarray(picture)).orientations[0])
    return {frame.number: (int.from_bytes(frame.pdq) ^ expected).bit_count() for frame in media.frames}


def nearest(media: DecodedMedia, picture: Image.Image = LISTED) -> int:
    return min(distances(media, picture).values())


@pytest.fixture(scope="module")
def plain() -> bytes:
    """Two seconds."""
    return video(panning())


@pytest.fixture
def limited(settings: Settings) -> Iterator[Callable[..., DecoderPool]]:
    """Pools with limits of their own."""
    pools: list[DecoderPool] = []

    def opened(**changes: object) -> DecoderPool:
        pools.append(DecoderPool(settings.model_copy(update=changes)))
        pools[-1].start()
        return pools[-1]

    yield opened
    for pool in pools:
        pool.close()


@pytest.mark.parametrize(
    ("container", "codec", "media_type"),
    [
        ("mp4", "libx264", "video/mp4"),
        ("mp4", "libx265", "video/mp4"),
        ("mp4", "libsvtav1", "video/mp4"),
        ("mp4", "mpeg4", "video/mp4"),
        ("mov", "libx264", "video/quicktime"),
        ("3gp", "libx264", "video/mp4"),
        ("webm", "libvpx", "video/webm"),
        ("webm", "libvpx-vp9", "video/webm"),
        ("matroska", "libx264", "video/matroska"),
        ("avi", "mpeg4", "video/x-msvideo"),
        ("avi", "mjpeg", "video/x-msvideo"),
        ("mpegts", "mpeg2video", "video/mpeg"),
        ("mpeg", "mpeg1video", "video/mpeg"),
        ("mpeg2video", "mpeg2video", "video/mpeg"),
        ("flv", "flv", "video/x-flv"),
        ("asf", "wmv2", "video/x-ms-asf"),
    ],
)
def test_a_listed_picture_shown_for_half_a_second_is_found(
    pool: DecoderPool, container: str, codec: str, media_type: str
) -> None:
    frames = panning(0.6) + still(LISTED, 0.5) + panning(0.4, seed=9)
    media = pool.fingerprint(video(frames, container, codec))
    assert media.media_type == media_type
    assert (media.width, media.height) == (320, 240)
    assert nearest(media) <= 16
    assert nearest(media, scene(5)) <= 16
    assert media.owed == ()


def as_m2ts(stream: bytes) -> bytes:
    """Each packet with a time stamp before it, as cameras and discs write them."""
    return b"".join(bytes(4) + stream[at : at + 188] for at in range(0, len(stream), 188))


def behind_other_boxes(film: bytes) -> bytes:
    """The film with an empty box before `ftyp`, which shrinks by as much, so that all else stays in its place."""
    size = int.from_bytes(film[:4])
    return b"\x00\x00\x00\x08free" + (size - 8).to_bytes(4) + film[4 : size - 8] + film[size:]


DRESSED: dict[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "free before ftyp": ("mp4", "libx264", behind_other_boxes),
    "free for ftyp": ("mp4", "libx264", lambda film: film[:4] + b"free" + film[8:]),
    "junk for ftyp": ("mov", "libx264", lambda film: film[:4] + b"junk" + film[8:]),
    "M2TS": ("mpegts", "mpeg2video", as_m2ts),
    "a stream behind something else": ("mpegts", "mpeg2video", lambda stream: b"x" * 1001 + stream),
    "a stream cut in a packet": ("mpegts", "mpeg2video", lambda stream: stream[71:]),
    "AVI of 1992": ("avi", "mpeg4", lambda film: film[:8] + b"AVI\x19" + film[12:]),
}


@pytest.mark.parametrize(("container", "codec", "dress"), DRESSED.values(), ids=DRESSED)
def test_what_players_play_all_the_same_is_found(
    pool: DecoderPool, container: str, codec: str, dress: Callable[[bytes], bytes]
) -> None:
    media = pool.fingerprint(dress(video(still(LISTED, 1.0), container, codec)))
    assert nearest(media) <= 16
    assert media.owed == ()


def test_two_frames_a_second_at_least(pool: DecoderPool) -> None:
    media = pool.fingerprint(video(panning(4.0)))
    numbers = [frame.number for frame in media.frames]
    assert numbers[0] == 0
    assert len(numbers) >= 8
    assert max(np.diff(numbers)) <= RATE // 2
    assert all(len(frame.orientations) == 8 and frame.quality is not None for frame in media.frames)


def test_a_single_frame_between_two_samples_is_found(pool: DecoderPool) -> None:
    frames = panning(2.0)
    frames[28] = LISTED
    media = pool.fingerprint(video(frames))
    assert distances(media, LISTED)[28] <= 16


def test_every_cut_is_seen(pool: DecoderPool) -> None:
    scenes = [scene(seed) for seed in range(20, 32)]
    media = pool.fingerprint(video([one for each in scenes for one in still(each, 0.12)]))
    assert [nearest(media, each) <= 16 for each in scenes] == [True] * 12


def test_what_does_not_change_is_kept_once(pool: DecoderPool) -> None:
    media = pool.fingerprint(video(still(LISTED, 5.0)))
    assert len(media.frames) <= 3
    assert media.frames[0].number == 0


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_as_the_file_says(pool: DecoderPool, container: str, degrees: int) -> None:
    shown = LISTED.rotate(-degrees, expand=True)
    media = pool.fingerprint(turned(video(still(LISTED, 0.4), container), degrees))
    assert (media.width, media.height) == shown.size
    assert nearest(media, shown) <= 16


def test_frames_of_uneven_length(pool: DecoderPool) -> None:
    """Half a minute in which a picture stands for seconds, and another for an instant."""
    shown = [scene(5), LISTED, scene(9), scene(5), scene(11)]
    media = pool.fingerprint(video(shown, "matroska", times=[0, 9000, 9040, 9050, 30_000]))
    assert [nearest(media, each) <= 16 for each in shown] == [True] * 5


def test_a_clock_that_hardly_goes_hides_nothing(pool: DecoderPool) -> None:
    """A slow pan of six seconds, said to take a tenth of one."""
    frames = panning(6.0)
    media = pool.fingerprint(video(frames, "matroska", times=range(len(frames))))
    assert max(np.diff([frame.number for frame in media.frames])) <= 61


def test_what_an_edit_list_leaves_out_is_read(pool: DecoderPool) -> None:
    """Some players show it. The edit list of this file begins behind its first frames."""
    data = bytearray(video(still(LISTED, 0.6) + panning(0.6)))
    at = data.index(b"elst") + 16
    data[at : at + 4] = (int.from_bytes(data[at : at + 4]) + 15 * 512 * 2).to_bytes(4)
    assert nearest(pool.fingerprint(bytes(data))) <= 16


def test_a_second_track_is_read(pool: DecoderPool) -> None:
    media = pool.fingerprint(video(panning(0.6), "matroska", second=still(LISTED, 0.6)))
    assert nearest(media) <= 16
    assert nearest(media, scene(5)) <= 16


def test_sound_is_passed_over(pool: DecoderPool, plain: bytes) -> None:
    media = pool.fingerprint(video(panning(), sound=True))
    assert [frame.pdq for frame in media.frames] == [frame.pdq for frame in pool.fingerprint(plain).frames]
    assert media.owed == ()


def test_subtitles_are_passed_over(pool: DecoderPool) -> None:
    media = pool.fingerprint(with_subtitles(video(still(LISTED, 1.0), "flv", "flv")))
    assert (nearest(media) <= 10, media.owed) == (True, ())


def test_sound_alone_is_held(pool: DecoderPool) -> None:
    with pytest.raises(MediaUnsupported, match="no moving picture"):
        pool.fingerprint(video([], "matroska", sound=True))


def test_a_codec_that_is_not_read_is_held(pool: DecoderPool) -> None:
    with pytest.raises(MediaUnsupported):
        pool.fingerprint(video(panning(0.4), "matroska", "ffv1"))


def test_a_truncated_video_is_owed_and_its_beginning_counts(pool: DecoderPool) -> None:
    data = index_first(video(still(LISTED, 1.0) + panning(3.0)))
    media = pool.fingerprint(data[: len(data) * 2 // 3])
    assert nearest(media) <= 16
    assert [owed.code for owed in media.owed] == ["media_corrupt"]


def test_one_that_misses_its_index_is_corrupt(pool: DecoderPool, plain: bytes) -> None:
    with pytest.raises(MediaCorrupt):
        pool.fingerprint(plain[: len(plain) // 2])


def test_two_indexes_are_one_too_many(pool: DecoderPool, plain: bytes) -> None:
    parts = boxes(plain)
    media = pool.fingerprint(plain + parts[b"moov"])
    assert [owed.explanation for owed in media.owed] == ["The video has more than one index."]
    long = b"\0\0\0\1free" + (16).to_bytes(8)
    assert pool.fingerprint(plain + long).owed == ()
    assert pool.fingerprint(plain + long + parts[b"moov"]).owed == media.owed


def test_damaged_parts_are_owed(pool: DecoderPool) -> None:
    data = bytearray(video(panning(3.0), "matroska"))
    for at in range(len(data) // 2, len(data) // 2 + 4000, 5):
        data[at] ^= 0x5A
    media = pool.fingerprint(bytes(data))
    assert media.frames[0].number == 0
    assert "media_corrupt" in [owed.code for owed in media.owed]


def test_of_a_long_video_the_beginning_counts(limited: Callable[..., DecoderPool]) -> None:
    pool = limited(max_video_s=1.0)
    media = pool.fingerprint(video(still(LISTED, 0.5) + panning(2.0)))
    assert nearest(media) <= 16
    assert max(frame.number for frame in media.frames) <= RATE
    assert [(owed.code, owed.explanation) for owed in media.owed] == [
        ("media_too_large", "Only the first 1 s of the video were read.")
    ]


def test_no_more_frames_than_the_limits(limited: Callable[..., DecoderPool]) -> None:
    pool = limited(max_video_decoded=30, max_video_frames=5)
    assert max(frame.number for frame in pool.fingerprint(video(panning(3.0))).frames) < 30
    media = pool.fingerprint(video([scene(seed) for seed in range(12)]))
    assert len(media.frames) == 5
    assert [owed.code for owed in media.owed] == ["media_too_large"]


def test_frames_over_the_limit_of_pixels(limited: Callable[..., DecoderPool], plain: bytes) -> None:
    pool = limited(max_pixels=320 * 240 - 1)
    with pytest.raises(MediaTooLarge):
        pool.fingerprint(plain)


def test_a_video_that_takes_too_long_is_owed(limited: Callable[..., DecoderPool]) -> None:
    pool = limited(video_timeout_s=0.000_001)
    with pytest.raises(DecoderTimeout, match="no time"):
        pool.fingerprint(video(panning(1.0)))


def test_what_was_read_before_the_time_was_over_counts() -> None:
    data = video(panning(4.0))
    reading = Video(data, sniff(data), limits_of(Settings()))
    seen = reading.views()
    numbers = [next(seen).number, next(seen).number]
    reading._deadline = 0.0
    rest = [view.number for view in seen]
    assert numbers + rest == sorted(numbers + rest)
    assert reading.owed == {"decoder_timeout": "There was no time for the rest of the video."}


@pytest.mark.parametrize("stage", RevealStage)
def test_a_still(pool: DecoderPool, stage: RevealStage) -> None:
    """Black to begin with, as many are."""
    black = Image.new("RGB", (320, 240))
    data = video(still(black, 0.8) + still(LISTED, 1.0))
    with Image.open(io.BytesIO(pool.thumbnail(data, stage, 300))) as picture:
        assert max(picture.size) == (320 if stage is RevealStage.ORIGINAL else 300)
        assert picture.mode == ("L" if stage in {RevealStage.BLURRED, RevealStage.GREY} else "RGB")
        difference = np.asarray(picture.convert("L"), float) - np.asarray(LISTED.convert("L").resize(picture.size))
    assert abs(difference).mean() < (40 if stage is RevealStage.BLURRED else 12)


def test_a_chosen_frame_of_a_video(pool: DecoderPool) -> None:
    data = video(panning(1.0) + still(LISTED, 1.0))
    number = min(distances(pool.fingerprint(data), LISTED).items(), key=lambda item: item[1])[0]
    with Image.open(io.BytesIO(pool.thumbnail(data, RevealStage.COLOUR, 320, number))) as picture:
        assert abs(np.asarray(picture, float) - np.asarray(LISTED)).mean() < 12


def test_the_video_behind_a_picture_is_read(pool: DecoderPool) -> None:
    """As phones write it: what moved around a picture lies behind it, in the same file."""
    photo, moved = written(scene(5), "JPEG"), video(panning(0.6) + still(LISTED, 0.4))
    media = pool.fingerprint(photo + moved)
    assert (media.media_type, media.width, media.height) == ("image/jpeg", 320, 240)
    assert media.frames[0] == pool.fingerprint(photo).frames[0]
    assert nearest(media) <= 16
    numbers = [frame.number for frame in media.frames]
    assert numbers == sorted(set(numbers))
    assert pool.thumbnail(photo + moved, RevealStage.COLOUR, 100) == pool.thumbnail(photo, RevealStage.COLOUR, 100)


def test_two_videos_behind_a_picture_are_both_read(pool: DecoderPool) -> None:
    media = pool.fingerprint(written(scene(5), "JPEG") + video(panning(0.4)) + video(still(LISTED, 0.4), "mov"))
    assert nearest(media) <= 16


def test_a_broken_video_behind_a_picture_is_owed(pool: DecoderPool, plain: bytes) -> None:
    media = pool.fingerprint(written(LISTED, "JPEG") + plain[: len(plain) // 2])
    assert nearest(media) <= 8
    assert [owed.code for owed in media.owed] == ["media_corrupt"]


def test_the_word_alone_begins_no_video(pool: DecoderPool) -> None:
    photo = written(scene(5), "JPEG", comment=b"a word, ftyp, of " + bytes(40) + b"ftypisom")
    media = pool.fingerprint(photo + b"trailing ftyp")
    assert (len(media.frames), media.owed) == (1, ())


def test_videos_leave_a_child_for_pictures(limited: Callable[..., DecoderPool]) -> None:
    pool = limited(decoder_processes=2, decoder_queue_s=60.0)
    clip, photo = video(panning(0.4)), written(scene(5), "JPEG")
    with ThreadPoolExecutor(4) as threads:
        with pool._long_turn():  # as a long video has it
            clips = [threads.submit(pool.fingerprint, clip) for _ in range(4)]
            assert {pool.fingerprint(photo).media_type for _ in range(20)} == {"image/jpeg"}
            assert not any(one.done() for one in clips)
        assert {one.result(120).media_type for one in clips} == {"video/mp4"}


def test_a_video_for_which_there_is_no_turn_can_be_sent_again(limited: Callable[..., DecoderPool]) -> None:
    pool = limited(decoder_queue_s=0.05)
    with pool._long_turn(), pytest.raises(DecoderUnavailable, match="Other videos"):
        pool.fingerprint(video(panning(0.4)))
    assert pool.fingerprint(video(panning(0.4))).frames


def test_without_the_extra_videos_are_held() -> None:
    program = """
import sys
sys.modules["av"] = None
from seawall.decoding.operations import fingerprint
from seawall.decoding.process import limits_of
from seawall.settings import Settings
try:
    fingerprint(sys.stdin.buffer.read(), limits_of(Settings()))
except Exception as error:
    print(error.code, error.message)
"""
    process = subprocess.run(
        [sys.executable, "-c", program], input=video(panning(0.2)), capture_output=True, check=True, timeout=120
    )
    assert process.stdout.startswith(b"media_unsupported MP4 is recognised, but the extra `video`")


def test_only_children_load_what_reads_videos() -> None:
    program = "import sys, seawall.cli.main, seawall.decoding.pool, seawall.server; print('av' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=120)
    assert process.stdout.strip() == b"False"
