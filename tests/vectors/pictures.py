"""Generated pictures, the same on every machine: whole numbers only, and the raw stream of PCG64 (but of print
the letters are Pillow's)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]


def raw(seed: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Noise from 0 to 255."""
    count = int(np.prod(shape))
    return (np.random.PCG64(seed).random_raw(count) >> 56).astype(np.int64).reshape(shape)


def _stretch(small: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    """Bilinear enlargement in 8-bit fixed point; returns 256 times the values of `small`, roughly."""
    rows = np.arange(height) * (small.shape[0] - 1) * 256 // max(1, height - 1)
    columns = np.arange(width) * (small.shape[1] - 1) * 256 // max(1, width - 1)
    y, x = np.minimum(rows >> 8, small.shape[0] - 2), np.minimum(columns >> 8, small.shape[1] - 2)
    fy, fx = (rows - (y << 8))[:, None, None], (columns - (x << 8))[None, :, None]
    top = small[y][:, x] * (256 - fx) + small[y][:, x + 1] * fx
    bottom = small[y + 1][:, x] * (256 - fx) + small[y + 1][:, x + 1] * fx
    return (top * (256 - fy) + bottom * fy) >> 8


def landscape(seed: int, height: int, width: int) -> Picture:
    """Clouds of colour at several scales, much like a photograph of nothing in particular."""
    total = np.zeros((height, width, 3), dtype=np.int64)
    for number, (cells, weight) in enumerate(((3, 8), (6, 6), (12, 4), (24, 2), (48, 1))):
        total += weight * _stretch(raw(seed * 31 + number, (cells, cells + 1, 3)), height, width)
    low, high = int(total.min()), int(total.max())
    return ((total - low) * 255 // max(1, high - low)).astype(np.uint8)


def noise(seed: int, height: int, width: int) -> Picture:
    return raw(seed, (height, width, 3)).astype(np.uint8)


def shapes(seed: int, height: int, width: int) -> Picture:
    """Discs and boxes in plain colours over a landscape's colours."""
    picture = landscape(seed, height, width).astype(np.int64) // 2
    numbers = raw(seed + 1000, (12, 7))
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    for down, across, extent, r, g, b, kind in numbers.tolist():
        cy, cx, size = down * height // 256, across * width // 256, 2 + extent * min(height, width) // 700
        disc = (y - cy) ** 2 + (x - cx) ** 2 <= size**2
        box = (abs(y - cy) <= size) & (abs(x - cx) <= size * 2 // 3)
        picture[disc if kind % 2 else box] = (r, g, b)
    return picture.astype(np.uint8)


def gradient(seed: int, height: int, width: int) -> Picture:
    """A falling gradient with a little noise, different in each colour."""
    y, x = np.arange(height)[:, None] * 180 // height, np.arange(width)[None, :] * 60 // width
    base = np.stack([y + x, x * 3 + y // 3, 240 - y + 0 * x], axis=-1)
    return (base + raw(seed, base.shape) // 16).clip(0, 255).astype(np.uint8)


def stripes(seed: int, height: int, width: int) -> Picture:
    """Slanted stripes, so that no coefficient is zero by symmetry."""
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    on = ((x * 5 + y * 3 + seed) // (9 + seed % 23)) % 2
    return (np.stack([on * 200, on * 140 + 30, 220 - on * 100], axis=-1) + 10).astype(np.uint8)


def grey(seed: int, height: int, width: int) -> Picture:
    return np.repeat(landscape(seed, height, width)[:, :, :1], 3, axis=2)


def page_of_print(seed: int, size: int) -> NDArray[np.uint8]:
    """(1000, 800): a page of letters of that many pixels that mean nothing."""
    letters, page = np.array(list("abcdefghijklmnopqrstuvwxyz     ")), Image.new("L", (800, 1000), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for top in range(40, 960 - size, 7 * size // 5):
        line = letters[raw(seed + top, (2000 // size,)) % len(letters)]
        draw.text((40, top), "".join(line), fill=0, font=font)
    return np.asarray(page)


def flat(seed: int, height: int, width: int) -> Picture:
    """One colour. But for black, the reference's bits are rounding noise: only the quality can be compared."""
    return np.full((height, width, 3), (seed, seed // 2, seed // 3), dtype=np.uint8)


def upright_stripes(seed: int, height: int, width: int) -> Picture:
    """Every row alike: fifteen sixteenths of the coefficients are zero but for rounding."""
    row = ((np.arange(width) // (3 + seed)) % 2 * 255).astype(np.uint8)
    return np.repeat(np.repeat(row[None, :, None], height, axis=0), 3, axis=2)


MAKERS: dict[str, Callable[[int, int, int], Picture]] = {
    maker.__name__: maker for maker in (landscape, noise, shapes, gradient, stripes, grey, flat, upright_stripes)
}

# Makers whose hashes the reference itself decides by rounding noise.
DEGENERATE = frozenset({"flat", "upright_stripes"})

SIZES = (
    (64, 64), (128, 128), (129, 127), (256, 256), (255, 257), (512, 512), (480, 640), (333, 777), (1000, 1500),
    (1200, 1667),
)  # fmt: skip

RECIPES: tuple[tuple[str, int, int, int], ...] = (
    *((maker, 10 + i, *size) for i, size in enumerate(SIZES) for maker in ("landscape", "shapes")),
    *((maker, 40 + i, *size) for i, size in enumerate(SIZES[:8]) for maker in ("noise", "stripes")),
    *((maker, 70 + i, *size) for i, size in enumerate(SIZES[2:9:2]) for maker in ("gradient", "grey")),
    ("landscape", 90, 2448, 3264),
    ("shapes", 91, 3000, 400),
    ("landscape", 92, 63, 65),
    ("shapes", 93, 33, 41),
    ("noise", 94, 5, 5),
    ("noise", 95, 7, 300),
    ("noise", 96, 300, 6),
    ("noise", 97, 4, 40),
    ("noise", 98, 1, 90),
    ("noise", 99, 90, 1),
    ("landscape", 100, 16, 2000),
    ("landscape", 101, 20, 17000),
    ("flat", 0, 200, 300),
    ("flat", 255, 200, 300),
    ("flat", 90, 64, 64),
    ("upright_stripes", 4, 256, 300),
    ("upright_stripes", 9, 640, 640),
)  # fmt: skip


def make(maker: str, seed: int, height: int, width: int) -> Picture:
    """The picture of one recipe."""
    return MAKERS[maker](seed, height, width)


def turned(picture: Picture) -> Iterator[tuple[str, Picture]]:
    """The picture after each of the eight turns and mirrorings, by the names of seawall.records.Orientation."""
    yield "upright", picture
    yield "rotated-90", np.rot90(picture, -1)
    yield "rotated-180", np.rot90(picture, 2)
    yield "rotated-270", np.rot90(picture, 1)
    yield "flipped", picture[::-1]
    yield "mirrored", picture[:, ::-1]
    yield "transposed", picture.swapaxes(0, 1)
    yield "transversed", np.rot90(picture, 2).swapaxes(0, 1)
