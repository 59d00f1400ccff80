"""Every way of storing a picture gives the hash of what a person sees."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from seawall.decoding.pool import DecoderPool
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported, NotMedia
from seawall.fingerprints.pdq import hash_picture
from seawall.records import DecodedMedia
from tests.vectors.files import animation, png_header, scene, with_png_chunk, written

SCENE = scene()


def hash_of(picture: Image.Image) -> bytes:
    return hash_picture(np.array(picture.convert("RGB"))).orientations[0]


def bits_apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def nearest(media: DecodedMedia, expected: bytes) -> int:
    return min(bits_apart(frame.pdq, expected) for frame in media.frames)


def sixteen_bits(low: int = 0, factor: int = 257) -> Image.Image:
    return Image.fromarray(np.asarray(SCENE.convert("L")).astype(np.uint16) * factor + low)


def icc_profile(red: str, green: str, blue: str) -> bytes:
    """A small RGB display profile (gamma 2.2) whose primaries are those of sRGB, in the order that is asked for."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    primaries = {
        "r": fixed(0.43607, 0.22249, 0.01392),
        "g": fixed(0.38515, 0.71687, 0.09708),
        "b": fixed(0.14307, 0.06061, 0.71410),
    }
    title = b"Seawall test profile\0"
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    description = b"desc\0\0\0\0" + struct.pack(">I", len(title)) + title + bytes(78)
    white = fixed(0.9642, 1.0, 0.8249)
    tags = [(b"desc", description + bytes(-len(description) % 4)), (b"wtpt", b"XYZ \0\0\0\0" + white)]
    tags += [(name, b"XYZ \0\0\0\0" + primaries[which]) for name, which in
             ((b"rXYZ", red), (b"gXYZ", green), (b"bXYZ", blue))]  # fmt: skip
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    at = 128 + 4 + 12 * len(tags)
    table, content = struct.pack(">I", len(tags)), b""
    for name, value in tags:
        table += name + struct.pack(">II", at + len(content), len(value))
        content += value
    head = struct.pack(">I4sI4s4s4s", at + len(content), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + content


STILL = {
    "jpeg": (written(SCENE, "JPEG", quality=90), SCENE, 8),
    "jpeg-progressive": (written(SCENE, "JPEG", quality=90, progressive=True), SCENE, 8),
    "jpeg-grey": (written(SCENE.convert("L"), "JPEG", quality=90), SCENE.convert("L"), 8),
    "jpeg-cmyk": (written(SCENE.convert("CMYK"), "JPEG", quality=95), SCENE, 10),
    "png": (written(SCENE, "PNG"), SCENE, 0),
    "png-grey": (written(SCENE.convert("L"), "PNG"), SCENE.convert("L"), 0),
    "png-16-bit-grey": (written(sixteen_bits(), "PNG"), SCENE.convert("L"), 2),
    "png-palette": (written(SCENE.quantize(256), "PNG"), SCENE, 12),
    "png-1-bit": (written(SCENE.convert("1"), "PNG"), SCENE.convert("1"), 0),
    "gif": (written(SCENE.quantize(256), "GIF"), SCENE, 12),
    "webp": (written(SCENE, "WEBP", quality=90), SCENE, 10),
    "webp-lossless": (written(SCENE, "WEBP", lossless=True), SCENE, 0),
    "bmp": (written(SCENE, "BMP"), SCENE, 0),
    "bmp-palette": (written(SCENE.quantize(256), "BMP"), SCENE, 12),
    "ico": (written(SCENE.resize((128, 96)), "ICO", sizes=[(128, 96)]), SCENE.resize((128, 96)), 0),
    "tiff": (written(SCENE, "TIFF"), SCENE, 0),
    "tiff-lzw": (written(SCENE, "TIFF", compression="tiff_lzw"), SCENE, 0),
    "tiff-16-bit-grey": (written(sixteen_bits(), "TIFF"), SCENE.convert("L"), 2),
    "tiff-12-bits-in-16": (written(sixteen_bits(factor=16), "TIFF"), SCENE.convert("L"), 2),
    "tiff-32-bit-grey": (written(sixteen_bits().convert("I"), "TIFF"), SCENE.convert("L"), 4),
    "tiff-float": (written(SCENE.convert("F"), "TIFF"), SCENE.convert("L"), 4),
    "tiff-cmyk": (written(SCENE.convert("CMYK"), "TIFF"), SCENE, 6),
    "tiff-1-bit-fax": (written(SCENE.convert("1"), "TIFF", compression="group4"), SCENE.convert("1"), 0),
    "avif": (written(SCENE, "AVIF", quality=90, speed=10), SCENE, 12),
}


@pytest.mark.parametrize(("data", "seen", "bits"), STILL.values(), ids=STILL)
def test_still_pictures(pool: DecoderPool, data: bytes, seen: Image.Image, bits: int) -> None:
    media = pool.fingerprint(data)
    assert len(media.frames) == 1
    assert bits_apart(media.frames[0].pdq, hash_of(seen)) <= bits
    assert (media.width, media.height) == seen.size
    assert media.frames[0].quality is not None
    assert media.frames[0].quality > 50
    assert len(media.frames[0].orientations) == 8


def test_lab_tiff(pool: DecoderPool) -> None:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(SCENE, transform)
    assert lab is not None
    media = pool.fingerprint(written(lab, "TIFF"))
    assert bits_apart(media.frames[0].pdq, hash_of(SCENE)) <= 6


ORIENTED = {
    1: SCENE,
    2: SCENE.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: SCENE.transpose(Image.Transpose.ROTATE_180),
    4: SCENE.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: SCENE.transpose(Image.Transpose.TRANSPOSE),
    6: SCENE.transpose(Image.Transpose.ROTATE_90),
    7: SCENE.transpose(Image.Transpose.TRANSVERSE),
    8: SCENE.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.parametrize("opener", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_exif_orientation_is_applied(pool: DecoderPool, opener: str, orientation: int) -> None:
    """The stored picture is turned the other way, and EXIF says how to turn it back."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if opener == "WEBP" else {"quality": 95}
    media = pool.fingerprint(written(ORIENTED[orientation], opener, exif=exif, **options))
    assert (media.width, media.height) == SCENE.size
    assert bits_apart(media.frames[0].pdq, hash_of(SCENE)) <= 12


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage that is no TIFF", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_broken_exif_is_ignored(pool: DecoderPool, exif: bytes) -> None:
    media = pool.fingerprint(written(SCENE, "JPEG", exif=exif, quality=95))
    assert bits_apart(media.frames[0].pdq, hash_of(SCENE)) <= 8


def on(background: str, picture: Image.Image) -> Image.Image:
    flat = Image.new("RGB", picture.size, background)
    flat.paste(picture.convert("RGB"), mask=picture.convert("RGBA").getchannel("A"))
    return flat


def half_transparent() -> Image.Image:
    """The scene with holes in it."""
    picture = SCENE.copy()
    picture.putalpha(scene(77).convert("L"))
    return picture


@pytest.mark.parametrize("opener", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_transparency_is_seen_over_white_and_over_black(pool: DecoderPool, opener: str) -> None:
    options = {"lossless": True} if opener == "WEBP" else {"quality": 95}
    media = pool.fingerprint(written(half_transparent(), opener, **options))
    assert [frame.number for frame in media.frames] == [0, 0]
    for frame, background in zip(media.frames, ("white", "black"), strict=True):
        assert bits_apart(frame.pdq, hash_of(on(background, half_transparent()))) <= 16


def test_a_picture_drawn_in_alpha_alone_is_seen(pool: DecoderPool) -> None:
    """All black, and the scene is in the alpha channel: over white a person sees its negative."""
    picture = Image.new("RGBA", SCENE.size, "black")
    picture.putalpha(SCENE.convert("L"))
    negative = Image.fromarray(255 - np.asarray(SCENE.convert("L")))
    assert nearest(pool.fingerprint(written(picture, "PNG")), hash_of(negative)) <= 2


def test_alpha_that_hides_nothing_adds_no_frame(pool: DecoderPool) -> None:
    media = pool.fingerprint(written(SCENE.convert("RGBA"), "PNG"))
    assert len(media.frames) == 1
    assert media.frames[0].pdq == hash_of(SCENE)


def test_palette_transparency(pool: DecoderPool) -> None:
    palette = SCENE.quantize(64)
    index = int(np.bincount(np.asarray(palette).ravel()).argmax())
    media = pool.fingerprint(written(palette, "PNG", transparency=index))
    reopened = Image.open(io.BytesIO(written(palette, "PNG", transparency=index))).convert("RGBA")
    assert {frame.pdq for frame in media.frames} == {hash_of(on("white", reopened)), hash_of(on("black", reopened))}


def test_grey_with_alpha(pool: DecoderPool) -> None:
    media = pool.fingerprint(written(half_transparent().convert("LA"), "PNG"))
    assert len(media.frames) == 2


def test_colour_profile_is_applied_and_ignored(pool: DecoderPool) -> None:
    """A profile that exchanges red and blue: a person sees one picture, a tool that ignores profiles another."""
    red, green, blue = SCENE.split()
    stored = Image.merge("RGB", (blue, green, red))
    data = written(stored, "JPEG", quality=95, subsampling=0, icc_profile=icc_profile("b", "g", "r"))
    media = pool.fingerprint(data)
    assert len(media.frames) == 2
    assert bits_apart(media.frames[0].pdq, hash_of(SCENE)) <= 8
    assert bits_apart(media.frames[1].pdq, hash_of(stored)) <= 8
    assert bits_apart(hash_of(SCENE), hash_of(stored)) > 8


@pytest.mark.parametrize(
    "profile",
    [ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"no profile at all", bytes(200)],
    ids=["sRGB", "text", "zeros"],
)
def test_profiles_that_change_nothing(pool: DecoderPool, profile: bytes) -> None:
    plain = pool.fingerprint(written(SCENE, "JPEG"))
    assert pool.fingerprint(written(SCENE, "JPEG", icc_profile=profile)) == plain


@pytest.mark.parametrize("opener", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_every_distinct_frame_is_hashed(pool: DecoderPool, opener: str) -> None:
    options = {"lossless": True} if opener == "WEBP" else {}
    media = pool.fingerprint(animation(opener, 3, **options))
    assert [frame.number for frame in media.frames] == [0, 1, 2]
    for seed, frame in enumerate(media.frames):
        assert bits_apart(frame.pdq, hash_of(scene(seed, 120, 160))) <= 20


def test_equal_frames_are_hashed_once(pool: DecoderPool) -> None:
    one, other = scene(1, 120, 160), scene(2, 120, 160)
    data = written(one, "TIFF", save_all=True, append_images=[other, one, other, one])
    assert [frame.number for frame in pool.fingerprint(data).frames] == [0, 1]


def test_pages_of_different_sizes(pool: DecoderPool) -> None:
    data = written(SCENE, "TIFF", save_all=True, append_images=[scene(9, 90, 700), scene(8, 400, 30)])
    media = pool.fingerprint(data)
    assert (media.width, media.height) == SCENE.size
    assert [frame.pdq for frame in media.frames][1:] == [hash_of(scene(9, 90, 700)), hash_of(scene(8, 400, 30))]


@pytest.mark.parametrize("opener", ["GIF", "WEBP", "PNG", "TIFF"])
def test_more_frames_than_the_limit(pool: DecoderPool, opener: str) -> None:
    with pytest.raises(MediaTooLarge, match="frames"):
        pool.fingerprint(animation(opener, 21))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 3), (5, 5), (2, 9000)])
@pytest.mark.parametrize("opener", ["PNG", "JPEG", "BMP", "GIF", "TIFF"])
def test_tiny_and_thin_pictures(pool: DecoderPool, size: tuple[int, int], opener: str) -> None:
    media = pool.fingerprint(written(Image.new("RGB", size, (90, 10, 200)), opener))
    assert (media.width, media.height) == size
    assert media.frames[0].quality == 0


@pytest.mark.parametrize("name", [name for name in STILL if name not in {"ico"}])
def test_truncated_files_are_never_clean(pool: DecoderPool, name: str) -> None:
    data = STILL[name][0]
    for share in (0.5, 0.8):
        with pytest.raises((MediaCorrupt, NotMedia)):
            pool.fingerprint(data[: int(len(data) * share)])


def test_a_truncated_jpeg_that_is_closed_properly_is_corrupt(pool: DecoderPool) -> None:
    data = STILL["jpeg"][0]
    with pytest.raises(MediaCorrupt):
        pool.fingerprint(data[: len(data) // 2] + b"\xff\xd9")


def test_bytes_after_the_end_do_no_harm(pool: DecoderPool) -> None:
    for name in ("jpeg", "png", "gif", "webp-lossless", "bmp"):
        data = STILL[name][0]
        followed, alone = pool.fingerprint(data + b"PK\x03\x04 an archive, perhaps" * 50), pool.fingerprint(data)
        assert (followed.frames, followed.owed) == (alone.frames, alone.owed)
        assert [noted.code for noted in followed.noted] == ["trailing_data"]


@pytest.mark.parametrize("name", ["png", "gif", "bmp", "tiff", "webp"])
def test_no_other_opener_is_tried(pool: DecoderPool, name: str) -> None:
    """A file that begins as one kind and goes on as another is the first, and broken."""
    for beginning in (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        with pytest.raises(MediaCorrupt):
            pool.fingerprint(beginning + STILL[name][0])


@pytest.mark.parametrize(
    "data",
    [b"\xff\x4f\xff\x51", b"8BPS\x00\x01"],
)
def test_recognised_but_unsupported(pool: DecoderPool, data: bytes) -> None:
    with pytest.raises(MediaUnsupported):
        pool.fingerprint(data)


@pytest.mark.parametrize("data", [b"", b"text", bytes(100)])
def test_no_media(pool: DecoderPool, data: bytes) -> None:
    with pytest.raises(NotMedia):
        pool.fingerprint(data)


def test_more_pixels_than_the_limit(pool: DecoderPool) -> None:
    for data in (
        png_header(60_000, 60_000) + b"IDAT" * 10,
        STILL["jpeg"][0].replace(struct.pack(">HH", 240, 320), struct.pack(">HH", 65_000, 65_000), 1),
    ):
        with pytest.raises(MediaTooLarge):
            pool.fingerprint(data)


def test_text_in_a_png_is_no_obstacle_up_to_some_size(pool: DecoderPool) -> None:
    png = STILL["png"][0]
    assert pool.fingerprint(with_png_chunk(png, b"tEXt", b"Comment\0" + b"the sea " * 10_000)) == pool.fingerprint(
        png
    )
