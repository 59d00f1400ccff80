"""From a decoded picture of any mode to what a person sees: eight-bit red, green and blue, or grey.

A picture can be seen in more than one way, and then every way is hashed: transparent pictures over white and over
black, pictures with a colour profile or a gamma of their own with it and without it (many tools that hash lists come
from ignore it).
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from seawall.errors import MediaUnsupported

Pixels = NDArray[np.uint8]

# Profiles that move no colour of the test cube by more than this are sRGB, whatever they call themselves.
_SAME_COLOUR = 3
_BAND_PIXELS = 1 << 20
_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def _colour_cube() -> Image.Image:
    """Every combination of nine levels of red, green and blue, as a 27x27 picture."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return Image.fromarray(cube.reshape(27, 27, 3))


def _moves_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    cube = _colour_cube()
    moved = ImageCms.applyTransform(cube, transform)
    assert moved is not None
    return bool(np.abs(np.asarray(moved, np.int16) - np.asarray(cube, np.int16)).max() > _SAME_COLOUR)


@functools.lru_cache(maxsize=8)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform of a picture with this embedded profile; None where it is sRGB already, or broken.

    A profile that says nothing usable is ignored, as every viewer does.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None
        target = ImageCms.createProfile("sRGB")
        if mode in {"RGB", "RGBA"} and not _moves_colours(ImageCms.buildTransform(source, target, "RGB", "RGB")):
            return None
        return ImageCms.buildTransform(source, target, mode, "RGBA" if mode == "RGBA" else "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@functools.cache
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _from_sixteen_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits. A PNG uses them all; elsewhere fewer may be in use (scanners and cameras store 10 or 12)."""
    values = np.asarray(picture).astype(np.uint32)
    full = 65_535
    if picture.format != "PNG":
        full = max(255, (1 << int(values.max()).bit_length()) - 1)
    return Image.fromarray((values * 255 // full).astype(np.uint8))


def _stretched(picture: Image.Image) -> Image.Image:
    """Whole or floating numbers of no agreed range: the darkest becomes black, the brightest white."""
    values = np.nan_to_num(np.asarray(picture).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    return Image.fromarray(((values - low) * scale).round().clip(0, 255).astype(np.uint8))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """The picture in one of the modes L, RGB, RGBA and CMYK.

    Raises:
        MediaUnsupported: a mode that nobody has told us how to see.
    """
    mode = picture.mode
    if mode.startswith("I;16"):
        return _from_sixteen_bits(picture)
    if mode in {"I", "F"}:
        return _stretched(picture)
    if picture.has_transparency_data:
        return picture if mode == "RGBA" else picture.convert("RGBA")
    if mode in {"L", "RGB", "CMYK"}:
        return picture
    if mode == "1":
        return picture.convert("L")
    if mode in {"P", "RGBX", "YCbCr", "HSV", "LA", "PA", "RGBA", "La", "RGBa"}:
        return picture.convert("RGB")
    if mode == "LAB":
        seen = ImageCms.applyTransform(picture, _lab_to_srgb())
        assert seen is not None
        return seen
    raise MediaUnsupported(f"Pictures of mode {mode} cannot be read here.")


def _flattened(picture: Image.Image, background: str) -> Pixels:
    """The pixels of a picture of any of the four modes, over a background where it is transparent.

    Goes band by band: Pillow's copies of a whole picture would take several times its size.
    """
    channels = 1 if picture.mode == "L" else 3
    pixels = np.empty((picture.height, picture.width, channels), dtype=np.uint8)
    rows = max(1, _BAND_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        band = picture.crop((0, top, picture.width, min(top + rows, picture.height)))
        flat = band
        if band.mode == "RGBA":
            flat = Image.new("RGB", band.size, background)
            flat.paste(band.convert("RGB"), mask=band.getchannel("A"))
        elif band.mode == "CMYK":
            flat = band.convert("RGB")
        pixels[top : top + rows] = np.asarray(flat).reshape(band.height, band.width, channels)
    return pixels[:, :, 0] if channels == 1 else pixels


def _over_backgrounds(picture: Image.Image) -> Iterator[Pixels]:
    """The picture without transparency; where it has some, over white and then over black."""
    yield _flattened(picture, "white")
    if picture.mode == "RGBA":
        alpha_lowest = np.asarray(picture.getextrema())[3, 0]
        if alpha_lowest < 255:
            yield _flattened(picture, "black")


def _bent(picture: Image.Image, exponent: float) -> Image.Image:
    """The picture with every value but alpha (0 to 1) raised to the exponent."""
    curve = ((np.arange(256) / 255.0) ** exponent * 255.0).round().astype(int).tolist()
    colours = len(picture.getbands()) - (picture.mode == "RGBA")
    return picture.point(curve * colours + (list(range(256)) if picture.mode == "RGBA" else []))


def ways_seen(picture: Image.Image, profile: bytes | None, bend: float | None = None) -> Iterator[Pixels]:
    """Every way in which a person may see the picture, the likeliest first: (height, width, 3) or (height, width).

    Args:
        picture: decoded, of any mode.
        profile: its embedded colour profile.
        bend: the exponent that its values are raised to before they are shown, if any.

    Raises:
        MediaUnsupported: a mode that cannot be shown.
    """
    plain = _eight_bits(picture)
    transform = _to_srgb(profile, plain.mode) if profile and plain.mode in _SPACES else None
    if transform is not None:
        managed = ImageCms.applyTransform(plain, transform)
        assert managed is not None
        yield from _over_backgrounds(managed)
    if bend is not None:
        yield from _over_backgrounds(_bent(plain, bend))
    yield from _over_backgrounds(plain)
