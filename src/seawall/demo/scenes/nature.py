"""Smaller things: waves with boats, flowers, leaves, pebbles."""

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
    grain,
    noise,
    palette,
    petal,
    shade,
    vertical,
)


def waves(random: np.random.Generator) -> Pixels:
    """Rolling waves with foam, and sailing boats between them."""
    seas = ["caf0f8 0077b6 03045e", "ffe5d9 2a9d8f 073b3a", "e0aaff 3d5a80 0b132b"]
    light, middle, deep = palette(seas[int(random.integers(len(seas)))])
    canvas = Canvas(vertical([light, blend(light, middle, 0.35), middle]))
    rows = 9
    boats = {int(row) for row in random.choice(np.arange(1, 7), 3, replace=False)}
    for row in range(rows):
        level = 210 + row * 82
        if row in boats:
            _boat(canvas, random, (float(random.uniform(120, 1080)), level - 8), 130 + row * 16)
        tint = blend(middle, deep, row / (rows - 1)) if row % 2 else blend(light, middle, 0.35 + row / 14)
        _swell(canvas, random, level, tint)
    return canvas.pixels()


def _swell(canvas: Canvas, random: np.random.Generator, level: float, tint: Colour) -> None:
    length, phase = random.uniform(150, 420), random.uniform(0, 2 * math.pi)
    tilt = random.uniform(-70, 70)
    across = np.linspace(0, WIDTH, 200)
    swing = np.sin(across / length * 2 * math.pi + phase)
    crest = level - 52 * (1 - np.abs(swing)) ** 1.2 + tilt * (across / WIDTH - 0.5)
    outline: list[Point] = [(float(x), float(y)) for x, y in zip(across, crest, strict=True)]
    canvas.polygon([*outline, (WIDTH, HEIGHT), (0, HEIGHT)], tint)
    canvas.line(outline, (255, 255, 255), 5, 0.75)


def _boat(canvas: Canvas, random: np.random.Generator, spot: Point, size: float) -> None:
    x, y = spot
    sail = palette("ffffff f4f1de e63946 ffb703 f28482")
    first, second = (sail[int(pick)] for pick in random.choice(len(sail), 2, replace=False))
    canvas.line([(x, y), (x, y - size * 1.5)], colour("5c4033"), 6)
    canvas.polygon([(x + 8, y - size * 1.45), (x + 8, y - size * 0.2), (x + size * 0.75, y - size * 0.2)], first)
    canvas.polygon([(x - 8, y - size * 1.25), (x - 8, y - size * 0.2), (x - size * 0.55, y - size * 0.2)], second)
    above, below = y - size * 0.12, y + size * 0.25
    hull = [(x - size * 0.75, above), (x + size * 0.85, above), (x + size * 0.55, below), (x - size * 0.5, below)]
    canvas.polygon(hull, colour("6f1d1b"))


def flowers(random: np.random.Generator) -> Pixels:
    """A bed of flowers seen from above."""
    ground = shade(noise(random, 5, octaves=5), palette("1b4332 2d6a4f 52b788 95d5b2"))
    canvas = Canvas(ground)
    bloom = palette("ffafcc ff5d8f ffd166 f8f9fa c77dff ef476f 4cc9f0 f4a261 9d0208")
    for number in range(40):
        centre = (float(random.uniform(0, WIDTH)), float(random.uniform(0, HEIGHT)))
        size = float(random.uniform(55, 120)) * (1.25 if number > 25 else 0.8)
        _flower(canvas, random, centre, size, bloom[int(random.integers(len(bloom)))])
    return canvas.pixels()


def _flower(canvas: Canvas, random: np.random.Generator, centre: Point, size: float, tint: Colour) -> None:
    petals = int(random.integers(5, 12))
    turn = float(random.uniform(0, math.pi))
    dark = blend(tint, (30, 10, 40), 0.45)
    for layer, reach in ((0, 1.0), (1, 0.66)):
        shown = blend(tint, dark, 0.55 * layer)
        for number in range(petals):
            angle = turn + (number + layer / 2) * 2 * math.pi / petals
            outline = petal(centre, angle, size * reach, size * reach * 3.4 / petals)
            canvas.polygon(outline, blend(shown, (255, 255, 255), 0.12 * (number % 2)))
    canvas.disc(centre, size * 0.2, colour("ffb703"))
    canvas.disc(centre, size * 0.11, colour("9c6644"))


def leaves(random: np.random.Generator) -> Pixels:
    """Fallen leaves with their veins, on dark soil or pale stone."""
    grounds = ["2b2118 4a3728 6b4f3a", "d6ccc2 e3d5ca f5ebe0"]
    kind = int(random.integers(2))
    canvas = Canvas(grain(shade(noise(random, 8, octaves=5), palette(grounds[kind])), random, 5))
    tints = palette("bc4749 d62828 f77f00 fcbf49 a7c957 6a994e 386641 e09f3e 9e2a2b")
    for number in range(46):
        centre = (float(random.uniform(-40, WIDTH)), float(random.uniform(-40, HEIGHT)))
        length = float(random.uniform(150, 340)) * (0.7 + number / 90)
        _leaf(canvas, random, centre, length, tints[int(random.integers(len(tints)))])
    return canvas.pixels()


def _leaf(canvas: Canvas, random: np.random.Generator, centre: Point, length: float, tint: Colour) -> None:
    angle = float(random.uniform(0, 2 * math.pi))
    width = length * float(random.uniform(0.36, 0.6))
    shadow = (centre[0] + 7, centre[1] + 9)
    canvas.polygon(petal(shadow, angle, length, width), (0, 0, 0), 0.28)
    canvas.polygon(petal(centre, angle, length, width), tint)
    vein = blend(tint, (255, 250, 220), 0.5)
    tip = (centre[0] + length * 0.96 * math.cos(angle), centre[1] + length * 0.96 * math.sin(angle))
    canvas.line([centre, tip], vein, 4)
    for step in range(2, 8):
        share = step / 9
        start = (centre[0] + (tip[0] - centre[0]) * share, centre[1] + (tip[1] - centre[1]) * share)
        reach = width * 0.42 * math.sin(math.pi * share**0.8)
        for side in (-0.9, 0.9):
            end = (start[0] + reach * math.cos(angle + side), start[1] + reach * math.sin(angle + side))
            canvas.line([start, end], vein, 2)


def pebbles(random: np.random.Generator) -> Pixels:
    """A shore of round stones with bands and light."""
    canvas = Canvas(shade(noise(random, 10, octaves=4), palette("22333b 3d4a50 5e503f")))
    tints = palette("c6ac8f eae0d5 8d99ae 5e6472 b8c0c8 a98467 6c757d f5f3ef 495057")
    placed: list[tuple[float, float, float]] = []
    for attempt in range(1500):
        radius = float(random.uniform(70, 120)) if attempt < 60 else float(random.uniform(18, 60))
        x, y = float(random.uniform(0, WIDTH)), float(random.uniform(0, HEIGHT))
        if all(math.hypot(x - a, y - b) > (radius + c) * 0.93 for a, b, c in placed):
            placed.append((x, y, radius))
            _pebble(canvas, random, (x, y), radius, tints[int(random.integers(len(tints)))])
    return canvas.pixels()


def _pebble(canvas: Canvas, random: np.random.Generator, centre: Point, radius: float, tint: Colour) -> None:
    turn, flat = float(random.uniform(0, math.pi)), float(random.uniform(0.7, 1.0))

    def oval(size: float, shift: Point = (0.0, 0.0)) -> list[Point]:
        outline = []
        for step in range(36):
            along, across = size * math.cos(step * math.pi / 18), size * flat * math.sin(step * math.pi / 18)
            x = centre[0] + shift[0] + along * math.cos(turn) - across * math.sin(turn)
            outline.append((x, centre[1] + shift[1] + along * math.sin(turn) + across * math.cos(turn)))
        return outline

    canvas.polygon(oval(radius, (5, 8)), (0, 0, 0), 0.4)
    canvas.polygon(oval(radius), blend(tint, (20, 24, 30), 0.35))
    for layer in range(1, 7):
        share = layer / 7
        shift = (-radius * 0.22 * share, -radius * 0.25 * share)
        canvas.polygon(oval(radius * (1 - share * 0.75), shift), blend(tint, (255, 255, 255), share * 0.35))
