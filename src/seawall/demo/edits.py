"""What people do to a picture so that it looks the same and its bytes differ: the altered copies of the demo.

Every edit takes the decoded original and gives a file. A viewer shows each of them as the original, turned,
mirrored, smaller, grey or slightly paler, so that a perceptual match is expected of all.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageEnhance, ImageOps

Turn = Image.Transpose

SHOWN_AFTER_QUARTER_TURN = 6  # EXIF: "turn me by 90 degrees clockwise to see me upright"
SHOWN_AFTER_HALF_TURN = 3
SHOWN_AFTER_MIRRORING = 2


@dataclass(frozen=True, slots=True)
class Edit:
    """One way to alter a picture. `done` says in words what was done to it; `moves` that pixels change their place or
    number, which costs a perceptual hash a few bits."""

    name: str
    done: str
    extension: str
    apply: Callable[[Image.Image], bytes]
    moves: bool = False


def altered(edit: Edit, original: bytes) -> bytes:
    """The file that the edit makes of the original's bytes."""
    with Image.open(io.BytesIO(original)) as image:
        return edit.apply(image.convert("RGB"))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _jpeg(image: Image.Image, quality: int = 85, **options: object) -> bytes:
    return _saved(image, "JPEG", quality=quality, **options)


def _resized(image: Image.Image, share: float) -> bytes:
    size = round(image.width * share), round(image.height * share)
    return _jpeg(image.resize(size, Image.Resampling.LANCZOS))


def _turned(image: Image.Image, how: Turn) -> bytes:
    return _jpeg(image.transpose(how))


def _exif_turned(image: Image.Image, stored: Turn, orientation: int) -> bytes:
    """Stores the pixels turned, with the tag by which a viewer turns them back."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return _jpeg(image.transpose(stored), exif=exif)


def _palette(image: Image.Image, kind: str) -> bytes:
    return _saved(image.quantize(256), kind)


def _sixteen_bit(image: Image.Image) -> bytes:
    grey = np.asarray(ImageOps.grayscale(image)).astype(np.uint16) * 257
    return _saved(Image.fromarray(grey), "PNG")


def _see_through(image: Image.Image) -> bytes:
    shown = image.copy()
    shown.putalpha(225)
    return _saved(shown, "PNG")


def _lab(image: Image.Image) -> bytes:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    if converted is None:  # only when converting in place, which is not asked for
        raise ValueError("no picture came back from the colour conversion")
    return _saved(converted, "TIFF", compression="tiff_lzw")


def _brighter(image: Image.Image) -> bytes:
    return _jpeg(ImageEnhance.Brightness(image).enhance(1.08))


EDITS = (
    Edit("recompressed", "JPEG again, quality 40", "jpg", partial(_jpeg, quality=40)),
    Edit("progressive", "progressive JPEG, quality 75", "jpg", partial(_jpeg, quality=75, progressive=True)),
    Edit("half", "resized to 50 %", "jpg", partial(_resized, share=0.5), moves=True),
    Edit("quarter", "resized to 25 %", "jpg", partial(_resized, share=0.25), moves=True),
    Edit("mirrored", "mirrored", "jpg", partial(_turned, how=Turn.FLIP_LEFT_RIGHT), moves=True),
    Edit("flipped", "turned upside down as in water", "jpg", partial(_turned, how=Turn.FLIP_TOP_BOTTOM), moves=True),
    Edit("rotated-90", "rotated by 90 degrees", "jpg", partial(_turned, how=Turn.ROTATE_90), moves=True),
    Edit("rotated-180", "rotated by 180 degrees", "jpg", partial(_turned, how=Turn.ROTATE_180), moves=True),
    Edit("rotated-270", "rotated by 270 degrees", "jpg", partial(_turned, how=Turn.ROTATE_270), moves=True),
    Edit(
        "exif-90",
        "stored rotated, EXIF turns it back",
        "jpg",
        partial(_exif_turned, stored=Turn.ROTATE_90, orientation=SHOWN_AFTER_QUARTER_TURN),
    ),
    Edit(
        "exif-180",
        "stored upside down, EXIF turns it back",
        "jpg",
        partial(_exif_turned, stored=Turn.ROTATE_180, orientation=SHOWN_AFTER_HALF_TURN),
    ),
    Edit(
        "exif-mirrored",
        "stored mirrored, EXIF turns it back",
        "jpg",
        partial(_exif_turned, stored=Turn.FLIP_LEFT_RIGHT, orientation=SHOWN_AFTER_MIRRORING),
    ),
    Edit("palette", "PNG with 256 colours", "png", partial(_palette, kind="PNG")),
    Edit("gif", "GIF", "gif", partial(_palette, kind="GIF")),
    Edit("cmyk", "CMYK JPEG", "jpg", lambda image: _jpeg(image.convert("CMYK"))),
    Edit("grey", "grey JPEG", "jpg", lambda image: _jpeg(ImageOps.grayscale(image))),
    Edit("png", "PNG", "png", lambda image: _saved(image, "PNG")),
    Edit("webp", "WebP, quality 80", "webp", lambda image: _saved(image, "WEBP", quality=80)),
    Edit("sixteen-bit", "grey PNG of 16 bits", "png", _sixteen_bit),
    Edit("alpha", "PNG that lets some white through", "png", _see_through),
    Edit("lab", "LAB TIFF", "tiff", _lab),
    Edit("brighter", "slightly brighter", "jpg", _brighter),
)
