"""Patterns: a glass mosaic, winding tiles, a patchwork quilt."""

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
)


def mosaic(random: np.random.Generator) -> Pixels:
    """Pieces of coloured glass between dark lead: the nearest and second nearest of scattered points."""
    points = random.uniform((0, 0), (WIDTH, HEIGHT), (90, 2)).astype(np.float32)
    # Computed on half the grid: the edges are drawn wide enough not to show it.
    rows, columns = np.mgrid[0:HEIGHT:2, 0:WIDTH:2].astype(np.float32)
    first = np.full(rows.shape, np.inf, np.float32)
    second = first.copy()
    nearest = np.zeros(rows.shape, np.intp)
    for number, (x, y) in enumerate(points):
        away = (columns - x) ** 2 + (rows - y) ** 2
        second = np.minimum(second, np.maximum(first, away))
        nearest[away < first] = number
        first = np.minimum(first, away)
    edge = np.clip((np.sqrt(second) - np.sqrt(first)) / 9, 0, 1)[..., None]
    shelves = [
        "f94144 f3722c f8961e f9c74f 90be6d 43aa8b 577590 fefae0",
        "5f0f40 9a031e fb8b24 e36414 0f4c5c f1dca7",
    ]
    colours = np.array(palette(shelves[int(random.integers(len(shelves)))]), np.float32)
    tints = colours[random.integers(len(colours), size=len(points))] * random.uniform(0.6, 1.1, (len(points), 1))
    light = 0.82 + 0.3 * noise(random, 9, octaves=3)[::2, ::2, None]
    small = np.clip(tints[nearest] * light * edge + 24 * (1 - edge), 0, 255).astype(np.uint8)
    return small.repeat(2, axis=0).repeat(2, axis=1)[:HEIGHT, :WIDTH]


def windings(random: np.random.Generator) -> Pixels:
    """Tiles with two quarter circles each, turned at random: they join to one winding path."""
    grounds = ["264653 e9c46a e76f51 2a9d8f", "f1faee 1d3557 e63946 a8dadc", "3d405b f4f1de e07a5f 81b29a"]
    ground, path, edge, spot = palette(grounds[int(random.integers(len(grounds)))])
    canvas = Canvas(np.full((HEIGHT, WIDTH, 3), ground, np.uint8))
    side = 225.0
    for row in range(4):
        for column in range(6):
            _winding(
                canvas,
                (column * side, row * side),
                side,
                turned=bool(random.random() < 0.5),
                path=path,
                edge=edge,
            )
            if random.random() < 0.3:
                canvas.disc((column * side + side / 2, row * side + side / 2), side * 0.14, spot)
    return canvas.pixels()


def _winding(canvas: Canvas, corner: Point, side: float, *, turned: bool, path: Colour, edge: Colour) -> None:
    x, y = corner
    corners = [((x, y), (0, 90)), ((x + side, y + side), (180, 270))]
    if turned:
        corners = [((x + side, y), (90, 180)), ((x, y + side), (270, 360))]
    for centre, angles in corners:
        canvas.arc(centre, side / 2, angles, edge, side * 0.42)
        canvas.arc(centre, side / 2, angles, path, side * 0.24)


def quilt(random: np.random.Generator) -> Pixels:
    """Patches of many shapes and colours, sewn together."""
    shelves = [
        "e5989b b5838d 6d6875 ffcdb2 ffb4a2 355070",
        "0a9396 94d2bd e9d8a6 ee9b00 ca6702 9b2226 005f73",
    ]
    colours = palette(shelves[int(random.integers(len(shelves)))])
    canvas = Canvas(np.full((HEIGHT, WIDTH, 3), colour("f8f4ec"), np.uint8))
    side = 100.0
    for row in range(9):
        for column in range(12):
            picks = random.choice(len(colours), 2, replace=False)
            _patch(
                canvas,
                random,
                (column * side, row * side),
                side,
                colours[int(picks[0])],
                colours[int(picks[1])],
            )
    return canvas.pixels()


def _patch(
    canvas: Canvas, random: np.random.Generator, corner: Point, side: float, first: Colour, second: Colour
) -> None:
    x, y = corner
    middle = (x + side / 2, y + side / 2)
    canvas.box(corner, (side, side), first)
    kind = int(random.integers(5))
    if kind == 0:
        canvas.polygon([(x, y), (x + side, y), (x, y + side)], second)
    elif kind == 1:
        canvas.disc(middle, side * 0.36, second)
        canvas.disc(middle, side * 0.18, first)
    elif kind == 2:
        turn = float(random.choice([0.0, math.pi / 2]))
        for stripe in (-0.3, 0.0, 0.3):
            along, across = (side * 0.5, side * 0.08) if turn == 0 else (side * 0.08, side * 0.5)
            shift = (0.0, stripe * side) if turn == 0 else (stripe * side, 0.0)
            spot = (middle[0] + shift[0] - along, middle[1] + shift[1] - across)
            canvas.box(spot, (along * 2, across * 2), second)
    elif kind == 3:
        half = side / 2
        canvas.polygon([(x + half, y), (x + side, y + half), (x + half, y + side), (x, y + half)], second)
    seam = [
        (x + 5, y + 5),
        (x + side - 5, y + 5),
        (x + side - 5, y + side - 5),
        (x + 5, y + side - 5),
        (x + 5, y + 5),
    ]
    canvas.line(seam, blend(first, (255, 255, 255), 0.55), 2)
