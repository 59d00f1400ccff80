"""What all scenes draw with: noise, gradients, and a canvas that is drawn twice as large and shrunk smooth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH = 1200
HEIGHT = 900
SMOOTH = 2  # each drawn pixel is SMOOTH x SMOOTH pixels of the canvas

Colour = tuple[int, int, int]
Plane = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Point = tuple[float, float]


def colour(text: str) -> Colour:
    """The colour of ``rrggbb``."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def palette(text: str) -> list[Colour]:
    """Colours of a blank-separated row of ``rrggbb``."""
    return [colour(part) for part in text.split()]


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that lies at `share` (0-1) of the way from the first to the second."""
    mixed = [round(a + (b - a) * share) for a, b in zip(first, second, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def noise(random: np.random.Generator, cells: int, octaves: int = 5, fade: float = 0.5) -> Plane:
    """Fractal noise, (HEIGHT, WIDTH), stretched to 0-1; `cells` is the coarsest number of cells across."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(octaves):
        columns = cells * 2**octave
        rows = max(2, columns * HEIGHT // WIDTH)
        grid = random.random((rows + 1, columns + 1), np.float32)
        layer = Image.fromarray(grid).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * fade**octave
    total -= total.min()
    total /= total.max()
    return total


def shade(plane: Plane, colours: Sequence[Colour]) -> Pixels:
    """Colours a plane of 0-1 along a row of evenly spaced colours."""
    stops = np.linspace(0.0, 1.0, len(colours))
    channels = [np.interp(plane, stops, [stop[number] for stop in colours]) for number in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def vertical(colours: Sequence[Colour]) -> Pixels:
    """A gradient from top to bottom."""
    rows = np.linspace(0.0, 1.0, HEIGHT, dtype=np.float32)[:, None]
    return shade(np.broadcast_to(rows, (HEIGHT, WIDTH)), colours)


class Canvas:
    """Drawing in picture coordinates with smooth edges.

    Args:
        background: (HEIGHT, WIDTH, 3) pixels to draw on.
    """

    def __init__(self, background: Pixels) -> None:
        large = (WIDTH * SMOOTH, HEIGHT * SMOOTH)
        self.image = Image.fromarray(background).resize(large, Image.Resampling.BILINEAR)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def polygon(self, points: Sequence[Point], fill: Colour, opacity: float = 1.0) -> None:
        """Fills a polygon."""
        self._draw.polygon([_large(point) for point in points], fill=(*fill, round(255 * opacity)))

    def disc(self, centre: Point, radius: float, fill: Colour, opacity: float = 1.0) -> None:
        """Fills a circle."""
        (x, y), (left, top) = (
            _large((centre[0] + radius, centre[1] + radius)),
            _large((centre[0] - radius, centre[1] - radius)),
        )
        self._draw.ellipse((left, top, x, y), fill=(*fill, round(255 * opacity)))

    def box(self, corner: Point, size: Point, fill: Colour, opacity: float = 1.0) -> None:
        """Fills a rectangle; `corner` is its top left."""
        far = _large((corner[0] + size[0], corner[1] + size[1]))
        self._draw.rectangle((*_large(corner), *far), fill=(*fill, round(255 * opacity)))

    def line(self, points: Sequence[Point], fill: Colour, width: float, opacity: float = 1.0) -> None:
        """Draws a line through points."""
        large = [_large(point) for point in points]
        self._draw.line(large, (*fill, round(255 * opacity)), round(width * SMOOTH), joint="curve")

    def arc(self, centre: Point, radius: float, angles: Point, fill: Colour, width: float) -> None:
        """Draws a part of a circle; angles in degrees, clockwise from the right."""
        reach = radius + width / 2
        left, top = _large((centre[0] - reach, centre[1] - reach))
        right, bottom = _large((centre[0] + reach, centre[1] + reach))
        self._draw.arc((left, top, right, bottom), angles[0], angles[1], fill, round(width * SMOOTH))

    def pixels(self) -> Pixels:
        """The finished picture, (HEIGHT, WIDTH, 3)."""
        return np.asarray(self.image.reduce(SMOOTH))


def petal(centre: Point, angle: float, length: float, width: float, steps: int = 14) -> list[Point]:
    """The outline of a leaf or petal that starts at `centre` and points along `angle` (radians)."""
    outline = []
    for side in (1, -1):
        for step in range(steps + 1):
            share = step / steps if side == 1 else 1 - step / steps
            across = side * width / 2 * math.sin(math.pi * share**0.8)
            along = length * share
            outline.append(
                (
                    centre[0] + along * math.cos(angle) - across * math.sin(angle),
                    centre[1] + along * math.sin(angle) + across * math.cos(angle),
                )
            )
    return outline


def grain(pixels: Pixels, random: np.random.Generator, strength: float) -> Pixels:
    """Adds a little noise to the brightness, as a camera does."""
    rough = random.normal(0.0, strength, pixels.shape[:2]).astype(np.float32)[..., None]
    shaken: Pixels = np.clip(pixels + rough, 0, 255).astype(np.uint8)
    return shaken


def _large(point: Point) -> Point:
    return point[0] * SMOOTH, point[1] * SMOOTH
