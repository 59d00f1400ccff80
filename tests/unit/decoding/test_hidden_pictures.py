"""Files that show a person one thing and a careless reader another."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from seawall.decoding.pool import DecoderPool
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported
from seawall.fingerprints.pdq import hash_picture
from seawall.records import DecodedMedia
from tests.vectors.files import animation, png_chunk, scene, with_png_chunk, written

SCENE = scene()
OTHER = scene(77)


def bits_apart(media: DecodedMedia, picture: Image.Image) -> int:
    """Of the nearest frame to the picture."""
    expected = int.from_bytes(hash_picture(np.array(picture.convert("RGB"))).orientations[0])
    return min((int.from_bytes(frame.pdq) ^ expected).bit_count() for frame in media.frames)


def stored_for(gamma: float, picture: Image.Image = SCENE) -> Image.Image:
    """The values that a browser, told this gamma, turns into the picture."""
    values = np.asarray(picture).astype(np.float64) / 255
    return Image.fromarray((values ** (gamma / 0.45455) * 255).round().astype(np.uint8))


def with_gamma(picture: Image.Image, gamma: float) -> bytes:
    return with_png_chunk(written(picture, "PNG"), b"gAMA", struct.pack(">I", round(gamma * 100_000)))


@pytest.mark.parametrize("gamma", [0.2, 0.3, 0.7, 1.0])
def test_gamma_is_applied(pool: DecoderPool, gamma: float) -> None:
    media = pool.fingerprint(with_gamma(stored_for(gamma), gamma))
    assert len(media.frames) == 2
    assert bits_apart(media, SCENE) <= 8
    assert bits_apart(media, stored_for(gamma)) == 0


def test_gamma_is_applied_to_what_is_transparent(pool: DecoderPool) -> None:
    stored = stored_for(0.9)
    stored.putalpha(Image.new("L", stored.size, 254))
    assert bits_apart(pool.fingerprint(with_gamma(stored, 0.9)), SCENE) <= 8


@pytest.mark.parametrize("gamma", [0.45455, 0.46, 0.0])
def test_gamma_that_changes_nothing_adds_no_frame(pool: DecoderPool, gamma: float) -> None:
    assert pool.fingerprint(with_gamma(SCENE, gamma)) == pool.fingerprint(written(SCENE, "PNG"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"gAMA", struct.pack(">I", 5_000)),
        (b"gAMA", struct.pack(">I", 300_000)),
        (b"cICP", bytes([9, 16, 0, 1])),
        (b"cICP", bytes([1, 8, 0, 1])),
    ],
)
def test_what_eight_bits_cannot_show_is_unsupported(pool: DecoderPool, name: bytes, content: bytes) -> None:
    with pytest.raises(MediaUnsupported):
        pool.fingerprint(with_png_chunk(written(SCENE, "PNG"), name, content))


def test_colours_that_no_screen_has_are_unsupported(pool: DecoderPool) -> None:
    swapped = struct.pack(">8I", 31_270, 32_900, 30_000, 60_000, 64_000, 33_000, 15_000, 6_000)
    with pytest.raises(MediaUnsupported):
        pool.fingerprint(with_png_chunk(with_gamma(SCENE, 0.45455), b"cHRM", swapped))


def test_ordinary_colour_chunks_are_no_obstacle(pool: DecoderPool) -> None:
    ordinary = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
    data = with_png_chunk(with_gamma(SCENE, 0.45455), b"cHRM", ordinary)
    data = with_png_chunk(data, b"cICP", bytes([12, 13, 0, 1]))
    assert bits_apart(pool.fingerprint(data), SCENE) == 0


def test_two_gammas_are_one_too_many(pool: DecoderPool) -> None:
    with pytest.raises(MediaCorrupt):
        pool.fingerprint(with_png_chunk(with_gamma(SCENE, 0.45455), b"gAMA", struct.pack(">I", 100_000)))


def test_an_animation_that_hides_a_frame_is_corrupt(pool: DecoderPool) -> None:
    data = animation("PNG", 2)
    at = data.index(b"acTL") - 4
    one, two = png_chunk(b"acTL", struct.pack(">II", 1, 0)), data[at : at + 20]
    end = data.index(b"IEND") - 4
    assert len(pool.fingerprint(data).frames) == 2
    for lie in (
        data[:at] + one + data[at + 20 :],
        data[:at] + two + one + data[at + 20 :],
        data[:at] + data[at + 20 :],
        data[:at] + data[at + 20 : end] + two + data[end:],
    ):
        with pytest.raises(MediaCorrupt):
            pool.fingerprint(lie)


def icon(*pictures: bytes, side: int = 200) -> bytes:
    header, body = struct.pack("<HHH", 0, 1, len(pictures)), b""
    for picture in pictures:
        at = 6 + 16 * len(pictures) + len(body)
        header += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), at)
        body += picture
    return header + body


def test_every_picture_of_an_icon_is_hashed(pool: DecoderPool) -> None:
    listed, decoy = SCENE.resize((200, 200)), OTHER.resize((200, 200))
    media = pool.fingerprint(icon(written(decoy, "PNG"), written(listed, "PNG")))
    assert bits_apart(media, decoy) == 0
    assert bits_apart(media, listed) == 0
    small = pool.fingerprint(icon(written(decoy, "PNG"), written(listed.resize((128, 128)), "PNG"), side=128))
    assert bits_apart(small, listed) <= 8


def test_the_largest_picture_of_an_icon_comes_first(pool: DecoderPool) -> None:
    media = pool.fingerprint(written(SCENE.resize((128, 96)), "ICO", sizes=[(16, 12), (128, 96)]))
    assert (media.width, media.height) == (128, 96)
    assert media.frames[0].pdq == hash_picture(np.array(SCENE.resize((128, 96)))).orientations[0]


def test_an_icon_of_more_pictures_than_the_limit_is_too_large(pool: DecoderPool) -> None:
    with pytest.raises(MediaTooLarge):
        pool.fingerprint(icon(*[written(SCENE.resize((8, 8)), "PNG")] * 21, side=8))


def test_gamma_within_an_icon_is_applied(pool: DecoderPool) -> None:
    listed = SCENE.resize((200, 200))
    media = pool.fingerprint(icon(with_gamma(stored_for(1.0, listed), 1.0)))
    assert bits_apart(media, listed) <= 8


def test_a_page_in_a_comment_changes_nothing(pool: DecoderPool) -> None:
    comment = b"<html><script>alert(1)</script>"
    assert pool.fingerprint(written(SCENE, "JPEG", comment=comment)) == pool.fingerprint(written(SCENE, "JPEG"))


def test_an_archive_of_text_behind_a_picture_changes_nothing(pool: DecoderPool) -> None:
    behind = io.BytesIO()
    with zipfile.ZipFile(behind, "w") as archive:
        archive.writestr("note.txt", "the sea")
    gif = written(SCENE.quantize(64), "GIF")
    media = pool.fingerprint(gif + behind.getvalue())
    assert (media.frames, media.owed) == (pool.fingerprint(gif).frames, ())
