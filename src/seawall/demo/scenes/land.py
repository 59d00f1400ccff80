"""Land and sky: hills under a sun, clouds with balloons, a city at dusk."""

from __future__ import annotations

import math

import numpy as np

from seawall.demo.scenes.brushes import (
    HEIGHT,
    WIDTH,
    Canvas,
    Colour,
    Pixels,
    Point,
    blend,
    colour,
    noise,
    palette,
    shade,
    vertical,
)


def hills(random: np.random.Generator) -> Pixels:
    """Rows of hills with trees, under a large sun."""
    skies = ["f7b267 f79d65 f4845f f6bd8e", "89c2d9 a9d6e5 d8eef4 fdf0d5", "5f0f40 9a4c68 e09f7d f6d9a8"]
    earths = ["5f7f67 16302b", "6a994e 1b4332", "7d6b91 231942"]
    kind = int(random.integers(len(skies)))
    canvas = Canvas(vertical(palette(skies[kind])))
    sun = (float(random.uniform(200, 1000)), float(random.uniform(140, 330)))
    for ring in range(5, 0, -1):
        canvas.disc(sun, 60 + ring * 34, colour("fff3c4"), 0.10)
    canvas.disc(sun, 78, colour("fff6d8"))
    near, far = reversed(palette(earths[kind]))
    for row in range(6):
        tint = blend(far, near, row / 5)
        _ridge(canvas, random, 330 + row * 95, tint, trees=row >= 2)
    return canvas.pixels()


def _ridge(canvas: Canvas, random: np.random.Generator, level: float, tint: Colour, *, trees: bool) -> None:
    across = np.linspace(0, WIDTH, 160)
    height = np.zeros_like(across)
    for octave in range(1, 6):
        phase = random.uniform(0, 2 * math.pi)
        height += np.sin(across / WIDTH * math.pi * octave * random.uniform(1.2, 2.6) + phase) * 92 / octave**1.1
    outline: list[Point] = [(float(x), level - float(rise)) for x, rise in zip(across, height, strict=True)]
    canvas.polygon([*outline, (WIDTH, HEIGHT), (0, HEIGHT)], tint)
    if not trees:
        return
    dark = blend(tint, (10, 20, 24), 0.35)
    for _ in range(26):
        x, y = outline[int(random.integers(4, 156))]
        tall = float(random.uniform(40, 100))
        for tier in range(3):
            base = y + 12 - tier * tall * 0.26
            half = tall * (0.30 - tier * 0.07)
            canvas.polygon([(x - half, base), (x, base - tall * 0.5), (x + half, base)], dark)


def clouds(random: np.random.Generator) -> Pixels:
    """Clouds from fractal noise, with hot-air balloons of many stripes."""
    cover = noise(random, 3, octaves=7)
    cover = np.clip((cover - 0.36) * 2.6, 0, 1)
    skies = ["3a7ca5 81b1d2 d9e8f2 ffffff", "355070 6d597a e5989b fff1e6"]
    canvas = Canvas(shade(cover, palette(skies[int(random.integers(len(skies)))])))
    for number in range(4):
        centre = (float(random.uniform(130, 1070)), float(random.uniform(140, 610)))
        _balloon(canvas, random, centre, float(random.uniform(105, 150) - number * 16))
    return canvas.pixels()


def _balloon(canvas: Canvas, random: np.random.Generator, centre: Point, radius: float) -> None:
    colours = palette("d62828 f77f00 fcbf49 eae2b7 003049 2a9d8f 8338ec 457b9d")
    first, second = (colours[int(pick)] for pick in random.choice(len(colours), 2, replace=False))
    x, y = centre
    low, lowest = y + radius * 0.4, y + radius * 1.45
    neck = [
        (x - radius * 0.92, low),
        (x + radius * 0.92, low),
        (x + radius * 0.2, lowest),
        (x - radius * 0.2, lowest),
    ]
    canvas.polygon(neck, first)
    for stripe in range(7, 0, -1):
        half = radius * stripe / 7
        tint = first if stripe % 2 else second
        oval = [
            (x + half * math.cos(turn / 24 * math.pi), y + radius * math.sin(turn / 24 * math.pi))
            for turn in range(48)
        ]
        canvas.polygon(oval, tint)
    for side in (-0.2, 0.2):
        canvas.line([(x + side * radius, y + radius * 1.4), (x + side * radius, y + radius * 1.75)], (60, 50, 40), 2)
    canvas.box((x - radius * 0.24, y + radius * 1.72), (radius * 0.48, radius * 0.34), colour("7f5539"))


def skyline(random: np.random.Generator) -> Pixels:
    """Three rows of houses with lit windows, under a moon."""
    skies = ["14213d 41476b c77d6e fbc490", "10002b 3c096c 9d4edd ffb5a7"]
    sky = palette(skies[int(random.integers(len(skies)))])
    canvas = Canvas(vertical(sky))
    moon = (float(random.uniform(150, 1050)), float(random.uniform(110, 230)))
    canvas.disc(moon, 74, colour("fdf6e3"))
    canvas.disc((moon[0] + 26, moon[1] - 12), 62, blend(sky[0], sky[1], 0.5))
    for row in range(3):
        wall = blend(blend(sky[1], sky[2], 0.4), (9, 12, 28), row / 2)
        x = -float(random.uniform(0, 60))
        while x < WIDTH:
            wide = float(random.uniform(62, 138) + row * 16)
            tall = float(random.uniform(160, 560) - row * 40)
            _house(canvas, random, (x, HEIGHT - tall), (wide, tall), wall)
            x += wide + float(random.choice([0, 0, 14, 40]))
    return canvas.pixels()


def _house(canvas: Canvas, random: np.random.Generator, corner: Point, size: Point, wall: Colour) -> None:
    canvas.box(corner, size, wall)
    if random.random() < 0.4:
        middle = corner[0] + size[0] / 2
        roof = [corner, (middle, corner[1] - size[0] * 0.45), (corner[0] + size[0], corner[1])]
        canvas.polygon(roof, wall)
    lights = palette("ffd166 ffe8a3 fca311 9bd1e5")
    lit = float(random.uniform(0.15, 0.85))
    step = 24.0
    for column in range(int((size[0] - 14) // step)):
        for floor in range(int((size[1] - 16) // step)):
            if random.random() < lit:
                spot = (corner[0] + 11 + column * step, corner[1] + 14 + floor * step)
                canvas.box(spot, (12, 14), lights[int(random.integers(len(lights)))], 0.92)
