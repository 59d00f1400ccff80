"""The demo's pictures: generated, benign, and the same on every machine.

Ten stand on the demo list ("listed"), ten drawn in the same ten styles stand on none ("unrelated"), so that what
tells them apart is the picture and not its style.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from seawall.demo.scenes import land, nature, patterns
from seawall.demo.scenes.brushes import Pixels

JPEG_QUALITY = 90

SCENES: dict[str, Callable[[np.random.Generator], Pixels]] = {
    "hills": land.hills,
    "mosaic": patterns.mosaic,
    "waves": nature.waves,
    "flowers": nature.flowers,
    "skyline": land.skyline,
    "leaves": nature.leaves,
    "windings": patterns.windings,
    "balloons": land.clouds,
    "pebbles": nature.pebbles,
    "quilt": patterns.quilt,
}
ON_SECOND_LIST = frozenset({"hills", "flowers", "leaves", "balloons", "quilt"})


@dataclass(frozen=True, slots=True)
class Picture:
    """One generated picture: a scene drawn from a seed."""

    name: str
    scene: str
    seed: int
    listed: bool
    on_second_list: bool = False

    def draw(self) -> Pixels:
        """The pixels, (900, 1200, 3) RGB; always the same."""
        return SCENES[self.scene](np.random.default_rng(self.seed))

    def original(self) -> bytes:
        """The JPEG file that stands for the known item."""
        return encode(Image.fromarray(self.draw()))


LISTED = tuple(
    Picture(f"{scene}-listed", scene, 100 + number, listed=True, on_second_list=scene in ON_SECOND_LIST)
    for number, scene in enumerate(SCENES)
)
UNRELATED = tuple(
    Picture(f"{scene}-unrelated", scene, 510 + 3 * number, listed=False) for number, scene in enumerate(SCENES)
)


def encode(image: Image.Image) -> bytes:
    """A JPEG of the image."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()
